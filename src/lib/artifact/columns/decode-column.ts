import { hexOf } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { fromPlanes } from "./byte-planes.ts";
import { type Cell, COLUMN_DEPTH_MAX, ENCODING } from "./cell.ts";
import type { ColumnError } from "./column-error.ts";
import { HEX_BYTES_MAX, ULID_BYTES, ulidOf, UUID_BYTES, uuidOf } from "./identifier-bytes.ts";
import { decodeIntegers } from "./integers.ts";

type Decoded<T = Cell> = Result<T[], ColumnError>;

/**
 * Exactly `count` cells of a column. Takes any value that msgpack can hold and never gives more than that value holds, besides repetitions, which are
 * the same string each time.
 */
export function decodeColumn(column: unknown, count: number, depth = 0): Decoded {
  if (!Array.isArray(column) || depth > COLUMN_DEPTH_MAX) return malformed();
  const [encoding, ...parts]: unknown[] = column;
  switch (encoding) {
    case ENCODING.plain:
      return decodePlain(parts, count);
    case ENCODING.optional:
      return decodeOptional(parts, count, depth);
    case ENCODING.constant:
      return decodeConstant(parts, count);
    case ENCODING.integers:
      return decodeIntegers(parts, count);
    case ENCODING.repeats:
      return decodeRepeats(parts, count, depth);
    case ENCODING.hex:
      return decodeHex(parts, count);
    case ENCODING.uuids:
      return decodeRows(parts[0], { count, rowBytes: UUID_BYTES, toText: uuidOf });
    case ENCODING.ulids:
      return decodeUlids(parts, count);
    case ENCODING.numbered:
      return decodeNumbered(parts, count, depth);
    case ENCODING.text:
      return decodeText(parts, count, depth);
    default:
      return malformed();
  }
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

function decodeOptional([bitmap, inner]: readonly unknown[], count: number, depth: number): Decoded {
  if (!(bitmap instanceof Uint8Array) || bitmap.length !== Math.ceil(count / 8)) return malformed();
  const isPresent = (index: number): boolean => ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  const positions = Array.from({ length: bitmap.length * 8 }, (_, index) => index).filter(isPresent);
  if ((positions.at(-1) ?? 0) >= count) return malformed();
  const present = decodeColumn(inner, positions.length, depth + 1);
  if (!present.ok) return present;
  const cells = Array.from<Cell>({ length: count });
  for (const [index, position] of positions.entries()) cells[position] = present.value[index];
  return ok(cells);
}

function decodeRepeats([distinctCount, inner, places]: readonly unknown[], count: number, depth: number): Decoded {
  if (typeof distinctCount !== "number" || !(distinctCount >= 1 && distinctCount <= count)) return malformed();
  const distinct = decodeColumn(inner, distinctCount, depth + 1);
  const indexes = decodeColumn(places, count, depth + 1);
  if (!distinct.ok || !indexes.ok) return malformed();
  const cells: Cell[] = [];
  for (const index of indexes.value) {
    if (typeof index !== "number" || !(index in distinct.value)) return malformed();
    cells.push(distinct.value[index]);
  }
  return ok(cells);
}

function decodeHex([rowBytes, planes]: readonly unknown[], count: number): Decoded {
  if (typeof rowBytes !== "number" || !Number.isInteger(rowBytes) || rowBytes < 1 || rowBytes > HEX_BYTES_MAX)
    return malformed();
  return decodeRows(planes, { count, rowBytes, toText: hexOf });
}

/** A ulid's 128 bits are all in use, so every row of bytes is one. */
function decodeUlids([planes]: readonly unknown[], count: number): Decoded {
  return decodeRows(planes, { count, rowBytes: ULID_BYTES, toText: ulidOf });
}

function decodeRows(
  planes: unknown,
  { count, rowBytes, toText }: { count: number; rowBytes: number; toText: (row: Uint8Array) => string },
): Decoded {
  if (!(planes instanceof Uint8Array) || planes.length !== count * rowBytes) return malformed();
  const rows = fromPlanes(planes, rowBytes);
  return ok(
    Array.from({ length: count }, (_, index) => toText(rows.subarray(index * rowBytes, (index + 1) * rowBytes))),
  );
}

function decodeNumbered([first, second]: readonly unknown[], count: number, depth: number): Decoded {
  const prefixes = decodeColumn(first, count, depth + 1);
  const numbers = decodeColumn(second, count, depth + 1);
  if (!prefixes.ok || !numbers.ok) return malformed();
  const cells: string[] = [];
  for (const [index, prefix] of prefixes.value.entries()) {
    const number = numbers.value[index];
    if (typeof prefix !== "string" || typeof number !== "number") return malformed();
    cells.push(`${prefix}${number}`);
  }
  return ok(cells);
}

function decodeText([inner, text]: readonly unknown[], count: number, depth: number): Decoded {
  const lengths = decodeColumn(inner, count, depth + 1);
  if (!lengths.ok || typeof text !== "string") return malformed();
  const cells: string[] = [];
  let offset = 0;
  for (const length of lengths.value) {
    if (typeof length !== "number" || !Number.isInteger(length) || length < 0) return malformed();
    cells.push(text.slice(offset, offset + length));
    offset += length;
  }
  return offset === text.length ? ok(cells) : malformed();
}
