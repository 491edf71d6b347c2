/** The columns of a block: their names in the file, their types, and what a row has where its cell is absent. Order matters: like stands beside like. */
import type { PackChunk, PackRecord } from "../contract/pack-record.ts";
import type { Cell } from "./columns/cell.ts";

export type FieldType = "string" | "integer";

export interface Field<Row, Name extends string = string> {
  readonly name: Name;
  readonly type: FieldType;
  readonly isNullable: boolean;
  /** The value of an absent cell. Asked with the row as far as it is read: fields stand after those that they follow from. */
  readonly absent: (row: Row, position: number) => Cell;
}

type DocumentField = Field<PackRecord, Exclude<keyof PackRecord, "metadata" | "chunks">>;

/** A chunk as far as it is read, with its document. */
export interface ChunkRow {
  readonly document: PackRecord;
  readonly chunk: PackChunk;
}
type ChunkField = Field<ChunkRow, Exclude<keyof PackChunk, "vector">>;

function documentField(name: DocumentField["name"], type: FieldType, absent: DocumentField["absent"]): DocumentField {
  return { name, type, isNullable: false, absent };
}
function nullableField(name: DocumentField["name"], type: FieldType): DocumentField {
  return { name, type, isNullable: true, absent: () => null };
}
function chunkField(name: ChunkField["name"], type: FieldType, absent: ChunkField["absent"]): ChunkField {
  return { name, type, isNullable: false, absent };
}
/** A chunk's column that repeats the document's. */
function sharedField(name: ChunkField["name"] & keyof PackRecord, type: FieldType, isNullable = false): ChunkField {
  return { name, type, isNullable, absent: ({ document }) => document[name] };
}

/** Fields of a document in the order of the file. Long texts are written after everything else. */
export const DOCUMENT_FIELDS: readonly DocumentField[] = [
  documentField("document_id", "string", () => undefined),
  documentField("user_id", "string", () => ""),
  documentField("tier", "string", () => "doc"),
  documentField("source", "string", () => ""),
  nullableField("document_uid", "string"),
  nullableField("content_hash", "string"),
  documentField("model", "integer", () => 0),
  documentField("generation", "integer", () => 1),
  documentField("batch_tag", "string", () => ""),
  documentField("wal_id", "string", () => ""),
  documentField("document_index", "integer", () => 0),
  nullableField("version_key", "string"),
  nullableField("wal_key", "string"),
  nullableField("series", "string"),
  documentField("series_position", "integer", () => 0),
  nullableField("occurred_at_us", "integer"),
  nullableField("valid_until_us", "integer"),
  nullableField("deleted_at_us", "integer"),
  nullableField("created_at_us", "integer"),
  { name: "updated_at_us", type: "integer", isNullable: true, absent: (row) => row.created_at_us },
  documentField("pii_version", "string", () => ""),
  nullableField("duplicate_of", "string"),
  nullableField("duplicate_hash", "string"),
  nullableField("admission", "string"),
  documentField("token_count", "integer", () => 0),
  documentField("title", "string", () => ""),
  nullableField("text", "string"),
  nullableField("context", "string"),
  documentField("character_count", "integer", (row) => row.text?.length ?? 0),
];

export const CHUNK_FIELDS: readonly ChunkField[] = [
  chunkField("chunk_index", "integer", (_, position) => position),
  sharedField("model", "integer"),
  sharedField("generation", "integer"),
  sharedField("user_id", "string"),
  sharedField("tier", "string"),
  sharedField("source", "string"),
  sharedField("batch_tag", "string"),
  chunkField("start_offset", "integer", () => 0),
  chunkField("end_offset", "integer", ({ document }) => document.text?.length ?? 0),
  chunkField("token_count", "integer", () => 0),
  chunkField("lexeme_count", "integer", () => 0),
  { name: "chunk_hash", type: "string", isNullable: true, absent: () => null },
  { name: "text_hash", type: "integer", isNullable: true, absent: () => null },
  { name: "artifact_id", type: "string", isNullable: true, absent: () => null },
  sharedField("occurred_at_us", "integer", true),
  sharedField("valid_until_us", "integer", true),
  { name: "created_at_us", type: "integer", isNullable: true, absent: ({ document }) => document.updated_at_us },
  sharedField("pii_version", "string"),
  chunkField("text", "string", ({ document, chunk }) => document.text?.slice(chunk.start_offset, chunk.end_offset)),
];

/** Columns whose cells are long: they stand at the end of a block. */
export const LONG_COLUMNS: ReadonlySet<string> = new Set(["title", "text", "context", "chunk/text"]);

/** Names of the columns that are no field: chunks of each document as far as they are not one, whether a chunk has a vector. */
export const CHUNKS_COLUMN = "chunks";
export const CHUNK_COUNT_COLUMN = "chunk_count";
export const VECTOR_COLUMN = "chunk/vector";
export const CHUNK_PREFIX = "chunk/";
export const METADATA_PREFIX = "metadata/";
