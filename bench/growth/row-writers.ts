/** Documents and chunks as rows of a COPY. */
import { sha256HexSync } from "../../src/lib/base/hash.ts";
import { LEXEME_DIMENSIONS } from "../../src/lib/lexical/lexeme.ts";
import type { CopyRows } from "./copy-format.ts";
import type { SyntheticDocument } from "./synthetic-rows.ts";

/** Number of the one model that the vectors are of. */
export const MODEL_ID = 1;

/** In the order in which `writeDocument` writes them. */
export const DOCUMENT_COLUMNS = (
  "tenant_id document_uid user_id document_id tier source metadata content_hash model_id version_key " +
  "batch_tag wal_key wal_id document_index chunk_count token_count occurred_at"
).split(" ");

export function writeDocument(rows: CopyRows, tenantId: string, document: SyntheticDocument): void {
  rows.row(DOCUMENT_COLUMNS.length);
  rows.text(tenantId);
  rows.uuid(document.documentUid);
  rows.text(document.userId);
  rows.text(document.documentId);
  rows.text(document.tier);
  rows.text(document.source);
  // jsonb begins with its version.
  rows.text(`\u0001${JSON.stringify(document.metadata)}`);
  rows.bytes(hashOf(document.documentId));
  rows.int4(MODEL_ID);
  rows.text(document.versionKey);
  rows.text(document.batchTag);
  rows.text(`wal/${tenantId}/${document.walId}.mpz`);
  rows.text(document.walId);
  rows.int4(document.documentIndex);
  rows.int4(document.chunks.length);
  rows.int4(document.chunks.reduce((sum, chunk) => sum + chunk.lexemeCount, 0));
  rows.timestamp(document.occurredAtMs);
}

/** In the order in which `writeChunk` writes them. */
export const CHUNK_COLUMNS = (
  "tenant_id model_id document_uid chunk_index user_id tier source batch_tag generation chunk_hash " +
  "text start_offset end_offset token_count lexeme_count embedding lexemes occurred_at text_hash"
).split(" ");

interface Chunk {
  readonly tenantId: string;
  readonly document: SyntheticDocument;
  readonly index: number;
  readonly vector: Float64Array;
}

export function writeChunk(rows: CopyRows, { tenantId, document, index, vector }: Chunk): void {
  const chunk = document.chunks[index];
  if (chunk === undefined) throw new Error("a chunk of the document");
  const hash = hashOf(chunk.text);
  rows.row(CHUNK_COLUMNS.length);
  rows.text(tenantId);
  rows.int4(MODEL_ID);
  rows.uuid(document.documentUid);
  rows.int4(index);
  rows.text(document.userId);
  rows.text(document.tier);
  rows.text(document.source);
  rows.text(document.batchTag);
  rows.int8(1n);
  rows.bytes(hash);
  rows.text(chunk.text);
  rows.int4(index * chunk.text.length);
  rows.int4((index + 1) * chunk.text.length);
  rows.int4(chunk.lexemeCount);
  rows.int4(chunk.lexemeCount);
  rows.halfvec(vector);
  rows.sparsevec(chunk.lexemes, LEXEME_DIMENSIONS);
  rows.timestamp(document.occurredAtMs);
  rows.int8(hash.readBigInt64BE(0) >> 11n);
}

function hashOf(text: string): Buffer {
  return Buffer.from(sha256HexSync(text), "hex");
}
