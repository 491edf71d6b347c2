import { encode } from "@msgpack/msgpack";
import type { PackRecord } from "../contract/pack-record.ts";
import type { Cell, EncodedColumn } from "./columns/cell.ts";
import { encodeColumn } from "./columns/encode-column.ts";
import { TailWriter } from "./columns/tail.ts";
import type { TextCoder } from "./columns/column-context.ts";
import { type DerivationContext, isDerived, isDerivedOfChunk } from "./derivations.ts";
import {
  CHUNK_COUNT_COLUMN,
  CHUNK_FIELDS,
  CHUNK_PREFIX,
  CHUNKS_COLUMN,
  DOCUMENT_FIELDS,
  LONG_COLUMNS,
  METADATA_PREFIX,
  VECTOR_COLUMN,
} from "./record-fields.ts";
import type { EncodedBlock } from "./encoded-block.ts";
import { PACK_LIMITS } from "./pack-limits.ts";

interface NamedColumn {
  readonly name: string;
  readonly cells: readonly Cell[];
}

/**
 * One block: the msgpack `[records, chunks, [[name, column], …]]`, texts last, and its tail. What has its absent value, or what `derivations` makes of
 * the rest, is left out; so is a column without cells. `words` are those of the dictionary that the block will be compressed with. Pure; the same records
 * give the same bytes.
 */
export function encodeBlock(
  records: readonly PackRecord[],
  derivations: DerivationContext,
  words: TextCoder | null = null,
): EncodedBlock {
  const chunks = records.flatMap((document) =>
    document.chunks.map((chunk, position) => ({ document, chunk, position })),
  );
  const columns = [
    ...DOCUMENT_FIELDS.map(({ name, absent }) => ({
      name,
      cells: records.map((record) =>
        record[name] === absent(record, 0) || isDerived(record, name, derivations) ? undefined : record[name],
      ),
    })),
    { name: CHUNKS_COLUMN, cells: records.map(({ chunks: { length } }) => (length === 1 ? undefined : length)) },
    {
      name: CHUNK_COUNT_COLUMN,
      cells: records.map((record) => (record.chunk_count === record.chunks.length ? undefined : record.chunk_count)),
    },
    ...CHUNK_FIELDS.map(({ name, absent }) => ({
      name: `${CHUNK_PREFIX}${name}`,
      cells: chunks.map(({ document, chunk, position }) =>
        chunk[name] === absent({ document, chunk }, position) ||
        isDerivedOfChunk({ document, chunk }, name, derivations)
          ? undefined
          : chunk[name],
      ),
    })),
    { name: VECTOR_COLUMN, cells: chunks.map(({ chunk }) => (chunk.vector === null ? false : undefined)) },
    ...metadataColumns(records),
  ].filter(({ cells }) => cells.some((cell) => cell !== undefined));
  const ordered = [...columns.filter(isShort), ...columns.filter((column) => !isShort(column))];
  const sink = { tail: new TailWriter(), words, text: { left: PACK_LIMITS.blockBytesMax } };
  const encoded = ordered.map(({ name, cells }): readonly [string, EncodedColumn] => [name, encodeColumn(cells, sink)]);
  return { content: encode([records.length, chunks.length, encoded]), tail: sink.tail.bytes() };
}

function isShort({ name }: NamedColumn): boolean {
  return !LONG_COLUMNS.has(name);
}

function metadataColumns(records: readonly PackRecord[]): NamedColumn[] {
  const keys = new Set(records.flatMap(({ metadata }) => Object.keys(metadata)));
  return [...keys].sort().map((key) => ({
    name: `${METADATA_PREFIX}${key}`,
    cells: records.map(({ metadata }) => (Object.hasOwn(metadata, key) ? metadata[key] : undefined)),
  }));
}
