import { hexOf } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Cell, COLUMN_DEPTH_MAX, ENCODING, TEXT_END } from "./cell.ts";
import { type ColumnSource, NO_SOURCE } from "./column-context.ts";
import type { ColumnError } from "./column-error.ts";
import { HEX_BYTES_MAX, ULID_BYTES, ulidOf, UUID_BYTES, uuidOf } from "./identifier-bytes.ts";
import { decodeIntegers } from "./integers.ts";
import { readPlanes } from "./noise-planes.ts";

type Decoded<T = Cell> = Result<T[], ColumnError>;

/**
 * Exactly `count` cells of a column. Takes any value that msgpack can hold and never gives more than that value holds, besides repetitions, which are
 * the same string each time, and words, which `source` bounds.
 */
export function decodeColumn(column: unknown, count: number, source: ColumnSource = NO_SOURCE, depth = 0): Decoded {
  if (!Array.isArray(column) || depth > COLUMN_DEPTH_MAX) return malformed();
  const [encoding, ...parts]: unknown[] = column;
  switch (encoding) {
    case ENCODING.plain:
      return decodePlain(parts, count);
    case ENCODING.optional:
      return decodeOptional(parts, count, { source, depth });
    case ENCODING.constant:
      return decodeConstant(parts, count);
    case ENCODING.integers:
      return decodeIntegers(parts, count, source.tail);
    case ENCODING.repeats:
      return decodeRepeats(parts, count, { source, depth });
    case ENCODING.hex:
      return decodeHex(parts, count, source);
    case ENCODING.uuids:
      return decodeRows(parts, { count, rowBytes: UUID_BYTES, toText: uuidOf }, source);
    case ENCODING.ulids:
      // 128 bits are all in use, so every row of bytes is one.
      return decodeRows(parts, { count, rowBytes: ULID_BYTES, toText: ulidOf }, source);
    case ENCODING.numbered:
      return decodeNumbered(parts, count, { source, depth });
    case ENCODING.text:
      return decodeText(parts, count);
    case ENCODING.words:
      return decodeWords(parts, count, source);
    default:
      return malformed();
  }
}

interface Inside {
  readonly source: ColumnSource;
  readonly depth: number;
}

function malformed(): Result<never, ColumnError> {
  return err({ code: "column_malformed" });
}

function isScalar(value: unknown): value is string | number | boolean {
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}

function isCell(value: unknown): value is Cell {
  return value === null || isScalar(value) || (Array.isArray(value) && value.every(isScalar));
}

function decodeConstant([cell]: readonly unknown[], count: number): Decoded {
  return isCell(cell) ? ok(Array.from({ length: count }, () => cell)) : malformed();
}

function decodePlain([values]: readonly unknown[], count: number): Decoded {
  if (!Array.isArray(values) || values.length !== count || !values.every(isCell)) return malformed();
  return ok(values);
}

function decodeOptional([bitmap, inner]: readonly unknown[], count: number, { source, depth }: Inside): Decoded {
  if (!(bitmap instanceof Uint8Array) || bitmap.length !== Math.ceil(count / 8)) return malformed();
  const isPresent = (index: number): boolean => ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  const positions = Array.from({ length: bitmap.length * 8 }, (_, index) => index).filter(isPresent);
  if ((positions.at(-1) ?? 0) >= count) return malformed();
  const present = decodeColumn(inner, positions.length, source, depth + 1);
  if (!present.ok) return present;
  const cells = Array.from<Cell>({ length: count });
  for (const [index, position] of positions.entries()) cells[position] = present.value[index];
  return ok(cells);
}

function decodeRepeats(
  [distinctCount, inner, places]: readonly unknown[],
  count: number,
  { source, depth }: Inside,
): Decoded {
  if (typeof distinctCount !== "number" || !(distinctCount >= 1 && distinctCount <= count)) return malformed();
  const distinct = decodeColumn(inner, distinctCount, source, depth + 1);
  const indexes = decodeColumn(places, count, source, depth + 1);
  if (!distinct.ok || !indexes.ok) return malformed();
  const cells: Cell[] = [];
  for (const index of indexes.value) {
    if (typeof index !== "number" || !(index in distinct.value)) return malformed();
    cells.push(distinct.value[index]);
  }
  return ok(cells);
}

function decodeHex([rowBytes, ...parts]: readonly unknown[], count: number, source: ColumnSource): Decoded {
  if (typeof rowBytes !== "number" || !Number.isInteger(rowBytes) || rowBytes < 1 || rowBytes > HEX_BYTES_MAX)
    return malformed();
  return decodeRows(parts, { count, rowBytes, toText: hexOf }, source);
}

function decodeRows(
  parts: readonly unknown[],
  { count, rowBytes, toText }: { count: number; rowBytes: number; toText: (row: Uint8Array) => string },
  { tail }: ColumnSource,
): Decoded {
  const rows = readPlanes(parts, { count, rowBytes }, tail);
  if (rows === undefined) return malformed();
  return ok(
    Array.from({ length: count }, (_, index) => toText(rows.subarray(index * rowBytes, (index + 1) * rowBytes))),
  );
}

function decodeNumbered([first, second]: readonly unknown[], count: number, { source, depth }: Inside): Decoded {
  const prefixes = decodeColumn(first, count, source, depth + 1);
  const numbers = decodeColumn(second, count, source, depth + 1);
  if (!prefixes.ok || !numbers.ok) return malformed();
  const cells: string[] = [];
  for (const [index, prefix] of prefixes.value.entries()) {
    const number = numbers.value[index];
    if (typeof prefix !== "string" || typeof number !== "number") return malformed();
    cells.push(`${prefix}${number}`);
  }
  return ok(cells);
}

function decodeText([text]: readonly unknown[], count: number): Decoded {
  if (typeof text !== "string") return malformed();
  const cells = text.split(TEXT_END);
  return cells.length === count + 1 && cells.pop() === "" ? ok(cells) : malformed();
}

function decodeWords([bytes]: readonly unknown[], count: number, { words, text }: ColumnSource): Decoded {
  if (!(bytes instanceof Uint8Array)) return malformed();
  const cells = words?.decode(bytes, count, text.left);
  if (cells === undefined) return malformed();
  for (const cell of cells) text.left -= cell.length;
  return ok(cells);
}
