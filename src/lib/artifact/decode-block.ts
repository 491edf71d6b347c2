import { decode } from "@msgpack/msgpack";
import { err, ok, type Result } from "../base/result.ts";
import { walkMsgpack } from "../body/walk-msgpack.ts";
import type { PackChunk, PackRecord } from "../contract/pack-record.ts";
import type { Cell } from "./columns/cell.ts";
import type { ColumnError } from "./columns/column-error.ts";
import { decodeColumn } from "./columns/decode-column.ts";
import { TailReader } from "./columns/tail.ts";
import type { WordCode } from "./columns/word-code.ts";
import type { EncodedBlock } from "./encoded-block.ts";
import type { PackLimits } from "./pack-limits.ts";
import {
  CHUNK_COUNT_COLUMN,
  CHUNK_FIELDS,
  CHUNK_PREFIX,
  CHUNKS_COLUMN,
  DOCUMENT_FIELDS,
  type Field,
  METADATA_PREFIX,
  VECTOR_COLUMN,
} from "./record-fields.ts";

type Columns = ReadonlyMap<string, readonly Cell[]>;

/** Containers in a block: block, columns, column, its parts, and columns in it. */
const DEPTH_MAX = 16;

export interface DecodedBlock {
  /** Records whose vectors are still null. */
  readonly records: PackRecord[];
  /** Whether each chunk of the block has a vector, in order. */
  readonly hasVector: readonly boolean[];
}

/** The records of a decompressed block. Everything is checked before it is believed: types, counts, lengths. `words` as it was encoded with. */
export function decodeBlock(
  { content, tail }: EncodedBlock,
  limits: PackLimits,
  words: WordCode | null = null,
): Result<DecodedBlock, ColumnError> {
  const value = decodeValue(content);
  if (!Array.isArray(value)) return malformed();
  const [recordCount, chunkCount, list]: unknown[] = value;
  if (!isCount(recordCount, limits.blockRecordsMax) || !isCount(chunkCount, limits.blockChunksMax)) return malformed();
  if (recordCount === 0 || !Array.isArray(list) || list.length > limits.blockColumnsMax) return malformed();
  const columns = new Map<string, readonly Cell[]>();
  const source = { tail: new TailReader(tail), words, text: { left: limits.blockBytesMax } };
  for (const entry of list as unknown[]) {
    if (!Array.isArray(entry) || typeof entry[0] !== "string" || columns.has(entry[0])) return malformed();
    const name: string = entry[0];
    const cells = decodeColumn(entry[1], name.startsWith(CHUNK_PREFIX) ? chunkCount : recordCount, source);
    if (!cells.ok) return cells;
    columns.set(name, cells.value);
  }
  if (!source.tail.isUsedUp) return malformed();
  return recordsOf(columns, recordCount, chunkCount);
}

/** Value of msgpack bytes, or undefined: what a length promises is held against the bytes there are before anything is allocated. */
export function decodeValue(bytes: Uint8Array): unknown {
  const walk = walkMsgpack(bytes, 0, { depthMax: DEPTH_MAX, valuesMax: bytes.length });
  if (!walk.ok || walk.value.end !== bytes.length || !walk.value.stringsAreUtf8) return undefined;
  try {
    return decode(bytes, { maxExtLength: 0 });
  } catch {
    return undefined;
  }
}

function malformed(): Result<never, ColumnError> {
  return err({ code: "column_malformed" });
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}

function recordsOf(columns: Columns, recordCount: number, chunkCount: number): Result<DecodedBlock, ColumnError> {
  const counts = countsOf(columns.get(CHUNKS_COLUMN), recordCount);
  if (counts?.reduce((sum, count) => sum + count, 0) !== chunkCount) return malformed();
  const vectorCells = columns.get(VECTOR_COLUMN) ?? [];
  const hasVector = Array.from({ length: chunkCount }, (_, index) => vectorCells[index] !== false);
  const records: PackRecord[] = [];
  let firstChunk = 0;
  for (const [row, count] of counts.entries()) {
    const chunk_count = columns.get(CHUNK_COUNT_COLUMN)?.[row] ?? count;
    if (!isCount(chunk_count, Number.MAX_SAFE_INTEGER)) return malformed();
    const document: Partial<PackRecord> = { metadata: metadataOf(columns, row), chunk_count, chunks: [] };
    if (!isFilled(document, DOCUMENT_FIELDS, { columns, prefix: "", row, position: row, subjectOf: (read) => read }))
      return malformed();
    const chunks = chunksOf(columns, document, { first: firstChunk, count });
    if (chunks === undefined) return malformed();
    records.push({ ...document, chunks });
    firstChunk += count;
  }
  return ok({ records, hasVector });
}

function chunksOf(
  columns: Columns,
  document: PackRecord,
  { first, count }: { readonly first: number; readonly count: number },
): PackChunk[] | undefined {
  const chunks: PackChunk[] = [];
  for (let position = 0; position < count; position++) {
    const chunk: Partial<PackChunk> = { vector: null };
    const place = { columns, prefix: CHUNK_PREFIX, row: first + position, position };
    if (!isFilled(chunk, CHUNK_FIELDS, { ...place, subjectOf: (read) => ({ document, chunk: read }) }))
      return undefined;
    chunks.push(chunk);
  }
  return chunks;
}

function countsOf(cells: readonly Cell[] | undefined, recordCount: number): number[] | undefined {
  const counts: number[] = [];
  for (let row = 0; row < recordCount; row++) {
    const count = cells?.[row] ?? 1;
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0) return undefined;
    counts.push(count);
  }
  return counts;
}

interface Place<Row, Subject> {
  readonly columns: Columns;
  readonly prefix: string;
  readonly row: number;
  readonly position: number;
  /** What a field's absent value is asked with, of the row as far as it is read. */
  readonly subjectOf: (row: Row) => Subject;
}

/** Sets the fields of one row, in order; false where a cell has another type than its field. */
function isFilled<Row extends object, Subject>(
  target: Partial<Row>,
  fields: readonly Field<Subject>[],
  { columns, prefix, row, position, subjectOf }: Place<Row, Subject>,
): target is Row {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a promise until the last field is set: fields ask only for those before them
  const read = target as Row;
  for (const field of fields) {
    const cell = columns.get(`${prefix}${field.name}`)?.[row];
    const value = cell === undefined ? field.absent(subjectOf(read), position) : cell;
    if (!isOfType(value, field)) return false;
    Reflect.set(target, field.name, value);
  }
  return true;
}

function isOfType(value: Cell, { type, isNullable }: Pick<Field<never>, "type" | "isNullable">): boolean {
  if (value === null) return isNullable;
  return type === "string" ? typeof value === "string" : Number.isSafeInteger(value);
}

function metadataOf(columns: Columns, row: number): PackRecord["metadata"] {
  const entries: [string, Exclude<Cell, undefined>][] = [];
  for (const [name, cells] of columns)
    if (name.startsWith(METADATA_PREFIX) && cells[row] !== undefined)
      entries.push([name.slice(METADATA_PREFIX.length), cells[row]]);
  return Object.fromEntries(entries);
}
