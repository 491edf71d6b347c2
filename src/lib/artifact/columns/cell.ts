/** One value of a column. `undefined` is absent: the row has its default, or has no such metadata key. */
export type Cell = null | boolean | number | string | (string | number | boolean)[] | undefined;

/** How a column's cells lie in its msgpack array; the number stands first. docs/FORMATS.md has the table. */
export const ENCODING = {
  plain: 0,
  optional: 1,
  constant: 2,
  integers: 3,
  repeats: 4,
  hex: 5,
  uuids: 6,
  ulids: 7,
  numbered: 8,
  text: 9,
  words: 10,
} as const;

/** What each text of a column ends with. Among texts it costs less than their lengths would: sentences end before it. */
export const TEXT_END = "\0";

/** A column as a value that msgpack takes: an encoding's number, then what it needs. */
export type EncodedColumn = readonly unknown[];

/** Columns inside columns at most: the distinct values of repeats, of what is there of an optional one, as text with its lengths. */
export const COLUMN_DEPTH_MAX = 6;
