import { assert } from "../../base/assert.ts";
import { joinBytes } from "../../base/bytes.ts";
import { bytesOfHex, bytesOfUlid, hexByteCount, isUlid, isUuid, ULID_BYTES, UUID_BYTES } from "./identifier-bytes.ts";
import { type Cell, ENCODING, type EncodedColumn, TEXT_END } from "./cell.ts";
import { type ColumnSink, NO_SINK } from "./column-context.ts";
import { encodeIntegers } from "./integers.ts";
import { type PlaneParts, writePlanes } from "./noise-planes.ts";

/**
 * The column in the encoding that its cells suggest: absent ones as a bitmap, one value for equal ones, integers as steps, repeated strings once,
 * identifiers as bytes, names with a running number as both apart, anything else as one text, in words where the sink has some. What is noise goes to
 * the tail of the sink. The same cells give the same bytes.
 */
export function encodeColumn(cells: readonly Cell[], sink: ColumnSink = NO_SINK): EncodedColumn {
  assert(cells.length > 0, "a column has cells");
  if (cells.includes(undefined)) return encodeOptional(cells, sink);
  const [first] = cells;
  if (cells.every((cell) => isSame(cell, first))) return [ENCODING.constant, first];
  if (cells.every(isInteger)) {
    const integers = encodeIntegers(cells, sink.tail);
    if (integers !== undefined) return [ENCODING.integers, ...integers];
  }
  if (cells.every((cell) => typeof cell === "string")) return encodeStrings(cells, sink);
  return [ENCODING.plain, cells];
}

function isInteger(cell: Cell): cell is number {
  return Number.isSafeInteger(cell);
}

function isSame(a: Cell, b: Cell): boolean {
  return typeof a === "object" && a !== null ? JSON.stringify(a) === JSON.stringify(b) : a === b;
}

function encodeOptional(cells: readonly Cell[], sink: ColumnSink): EncodedColumn {
  const present = cells.filter((cell) => cell !== undefined);
  assert(present.length > 0, "a column without any cell is left out");
  const bitmap = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [index, cell] of cells.entries())
    if (cell !== undefined) bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
  return [ENCODING.optional, bitmap, encodeColumn(present, sink)];
}

/** Of equal strings at least this share has to be saved for them to be written once. */
const DISTINCT_SHARE_MAX = 0.5;

function encodeStrings(cells: readonly string[], sink: ColumnSink): EncodedColumn {
  const distinct = [...new Set(cells)];
  if (distinct.length <= cells.length * DISTINCT_SHARE_MAX) {
    const positions = new Map(distinct.map((value, index) => [value, index]));
    return [
      ENCODING.repeats,
      distinct.length,
      encodeColumn(distinct, sink),
      encodeColumn(
        cells.map((cell) => positions.get(cell) ?? 0),
        sink,
      ),
    ];
  }
  return encodeIdentifiers(cells, sink) ?? encodeNumbered(cells, sink) ?? encodeText(cells, sink);
}

function encodeIdentifiers(cells: readonly string[], sink: ColumnSink): EncodedColumn | undefined {
  if (cells.every(isUuid)) return [ENCODING.uuids, ...planesOf(cells.map(bytesOfHex), UUID_BYTES, sink)];
  if (cells.every(isUlid)) return [ENCODING.ulids, ...planesOf(cells.map(bytesOfUlid), ULID_BYTES, sink)];
  const bytes = hexByteCount(cells[0] ?? "");
  if (bytes === undefined || !cells.every((cell) => hexByteCount(cell) === bytes)) return undefined;
  return [ENCODING.hex, bytes, ...planesOf(cells.map(bytesOfHex), bytes, sink)];
}

function planesOf(rows: readonly Uint8Array[], rowBytes: number, { tail }: ColumnSink): PlaneParts {
  return writePlanes(joinBytes(rows), rowBytes, tail);
}

/** A name that ends in a number without leading zeros: `talk-7/12`. */
const NUMBERED = /^(.*?)(0|[1-9][0-9]{0,14})$/s;

function encodeNumbered(cells: readonly string[], sink: ColumnSink): EncodedColumn | undefined {
  const prefixes: string[] = [];
  const numbers: number[] = [];
  for (const cell of cells) {
    const [, prefix, digits] = NUMBERED.exec(cell) ?? [];
    if (prefix === undefined || digits === undefined) return undefined;
    prefixes.push(prefix);
    numbers.push(Number(digits));
  }
  if (new Set(prefixes).size > cells.length * DISTINCT_SHARE_MAX) return undefined;
  return [ENCODING.numbered, encodeColumn(prefixes, sink), encodeColumn(numbers, sink)];
}

function encodeText(cells: readonly string[], { words, text }: ColumnSink): EncodedColumn {
  assert(
    cells.every((cell) => cell.isWellFormed()),
    "texts are well-formed",
  );
  if (cells.some((cell) => cell.includes(TEXT_END))) return [ENCODING.plain, cells];
  const length = cells.reduce((sum, cell) => sum + cell.length, 0);
  if (words === null || length > text.left) return [ENCODING.text, cells.map((cell) => `${cell}${TEXT_END}`).join("")];
  text.left -= length;
  return [ENCODING.words, words.encode(cells)];
}
