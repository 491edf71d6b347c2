import { assert } from "../../base/assert.ts";
import { bytesOfHex, bytesOfUlid, hexByteCount, isUlid, isUuid, ULID_BYTES, UUID_BYTES } from "./identifier-bytes.ts";
import { toPlanes } from "./byte-planes.ts";
import { type Cell, ENCODING, type EncodedColumn } from "./cell.ts";
import { encodeIntegers } from "./integers.ts";

/**
 * The column in the encoding that its cells suggest: absent ones as a bitmap, one value for equal ones, integers as steps, repeated strings once,
 * identifiers as bytes, names with a running number as both apart, anything else as one text. The same cells give the same bytes. Pure.
 */
export function encodeColumn(cells: readonly Cell[]): EncodedColumn {
  assert(cells.length > 0, "a column has cells");
  if (cells.includes(undefined)) return encodeOptional(cells);
  const [first] = cells;
  if (cells.every((cell) => isSame(cell, first))) return [ENCODING.constant, first];
  if (cells.every(isInteger)) {
    const integers = encodeIntegers(cells);
    if (integers !== undefined) return [ENCODING.integers, ...integers];
  }
  if (cells.every((cell) => typeof cell === "string")) return encodeStrings(cells);
  return [ENCODING.plain, cells];
}

function isInteger(cell: Cell): cell is number {
  return Number.isSafeInteger(cell);
}

function isSame(a: Cell, b: Cell): boolean {
  return typeof a === "object" && a !== null ? JSON.stringify(a) === JSON.stringify(b) : a === b;
}

function encodeOptional(cells: readonly Cell[]): EncodedColumn {
  const present = cells.filter((cell) => cell !== undefined);
  assert(present.length > 0, "a column without any cell is left out");
  const bitmap = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [index, cell] of cells.entries())
    if (cell !== undefined) bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
  return [ENCODING.optional, bitmap, encodeColumn(present)];
}

/** Of equal strings at least this share has to be saved for them to be written once. */
const DISTINCT_SHARE_MAX = 0.5;

function encodeStrings(cells: readonly string[]): EncodedColumn {
  const distinct = [...new Set(cells)];
  if (distinct.length <= cells.length * DISTINCT_SHARE_MAX) {
    const positions = new Map(distinct.map((value, index) => [value, index]));
    return [
      ENCODING.repeats,
      distinct.length,
      encodeColumn(distinct),
      encodeColumn(cells.map((cell) => positions.get(cell) ?? 0)),
    ];
  }
  return encodeIdentifiers(cells) ?? encodeNumbered(cells) ?? encodeText(cells);
}

function encodeIdentifiers(cells: readonly string[]): EncodedColumn | undefined {
  if (cells.every(isUuid)) return [ENCODING.uuids, joined(cells.map(bytesOfHex), UUID_BYTES)];
  if (cells.every(isUlid)) return [ENCODING.ulids, joined(cells.map(bytesOfUlid), ULID_BYTES)];
  const bytes = hexByteCount(cells[0] ?? "");
  if (bytes === undefined || !cells.every((cell) => hexByteCount(cell) === bytes)) return undefined;
  return [ENCODING.hex, bytes, joined(cells.map(bytesOfHex), bytes)];
}

function joined(rows: readonly Uint8Array[], rowBytes: number): Uint8Array {
  const all = new Uint8Array(rows.length * rowBytes);
  for (const [index, row] of rows.entries()) all.set(row, index * rowBytes);
  return toPlanes(all, rowBytes);
}

/** A name that ends in a number without leading zeros: `talk-7/12`. */
const NUMBERED = /^(.*?)(0|[1-9][0-9]{0,14})$/s;

function encodeNumbered(cells: readonly string[]): EncodedColumn | undefined {
  const prefixes: string[] = [];
  const numbers: number[] = [];
  for (const cell of cells) {
    const [, prefix, digits] = NUMBERED.exec(cell) ?? [];
    if (prefix === undefined || digits === undefined) return undefined;
    prefixes.push(prefix);
    numbers.push(Number(digits));
  }
  if (new Set(prefixes).size > cells.length * DISTINCT_SHARE_MAX) return undefined;
  return [ENCODING.numbered, encodeColumn(prefixes), encodeColumn(numbers)];
}

function encodeText(cells: readonly string[]): EncodedColumn {
  const lengths = cells.map((cell) => cell.length);
  const text = cells.join("");
  assert(text.isWellFormed() && cells.every((cell) => cell.isWellFormed()), "texts are well-formed");
  return [ENCODING.text, encodeColumn(lengths), text];
}
