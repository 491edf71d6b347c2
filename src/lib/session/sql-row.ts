import { assert } from "../base/assert.ts";

/** A row of the log's SQLite, as its cursor gives it. */
export type SqlRow = Record<string, string | number | ArrayBuffer | null>;

/** Text of a column that is never null. */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  assert(typeof value === "string", "the column holds text");
  return value;
}

/** Number of a column that is never null. */
export function numberOf(row: SqlRow, column: string): number {
  const value = row[column];
  assert(typeof value === "number", "the column holds a number");
  return value;
}

/** Number of a column, or null. */
export function numberOrNull(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : numberOf(row, column);
}

export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}
