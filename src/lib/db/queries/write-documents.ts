import { z } from "zod";
import type { Statement } from "../sql.ts";
import type { RangeOrigin } from "./range-origin.ts";
import { isErasedSql } from "./user-erasures.ts";

/** What the store holds under the given documents. */
export function selectKnownDocuments(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `select document_uid, version_key, encode(content_hash, 'hex') as content_hash, model_id, deleted_at is not null as deleted,
             duplicate_of is not null as duplicate, pii_version
           from documents where tenant_id = $1 and document_uid = any($2::uuid[])`,
    params: [tenantId, documentUids],
  };
}

export const knownDocumentRowSchema = z.object({
  document_uid: z.string(),
  version_key: z.string(),
  content_hash: z.string(),
  model_id: z.int(),
  deleted: z.boolean(),
  duplicate: z.boolean(),
  pii_version: z.string(),
});

export interface DocumentRow {
  readonly documentUid: string;
  readonly versionKey: string;
  readonly userId: string;
  readonly documentId: string;
  readonly tier: string;
  readonly source: string;
  readonly title: string;
  readonly metadataJson: string;
  readonly contentHash: string;
  readonly documentIndex: number;
  readonly chunkCount: number;
  readonly tokenCount: number;
  readonly characterCount: number;
  readonly occurredAt: string | null;
  /** The document that holds this one's text, with the hash by which it holds it; null where it holds its own. */
  readonly duplicateOf: string | null;
  readonly duplicateHash: string | null;
  /** Name of the line of documents in which it stands, and its place there. */
  readonly series: string | null;
  readonly seriesPosition: number;
}

/** Writes the documents as new generations unless the store holds a later version already, or their user was erased after they had been sent. Names are set too: a tombstone that a restore left has none. */
export function upsertDocuments(origin: RangeOrigin, rows: readonly DocumentRow[]): Statement {
  return {
    text: `insert into documents as d (tenant_id, batch_tag, wal_key, wal_id, model_id, document_uid, version_key, user_id,
             document_id, tier, source, title, metadata, content_hash, document_index, chunk_count, token_count,
             character_count, occurred_at, duplicate_of, duplicate_hash, pii_version, series, series_position)
           select $1, $2, $3, $4, $5::int, r.document_uid, r.version_key, r.user_id, r.document_id, r.tier, r.source, r.title,
             r.metadata::jsonb, decode(r.content_hash, 'hex'), r.document_index, r.chunk_count, r.token_count,
             r.character_count, r.occurred_at, r.duplicate_of, decode(r.duplicate_hash, 'hex'), $22, r.series, r.series_position
           from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
             $14::text[], $15::int[], $16::int[], $17::int[], $18::int[], $19::timestamptz[], $20::uuid[], $21::text[],
             $23::text[], $24::bigint[])
             as r (document_uid, version_key, user_id, document_id, tier, source, title, metadata, content_hash,
               document_index, chunk_count, token_count, character_count, occurred_at, duplicate_of, duplicate_hash, series,
               series_position)
           where ${isErasedSql("r.version_key", "r.user_id")} is not true
           order by r.document_uid
           on conflict (tenant_id, document_uid) do update set
             batch_tag = excluded.batch_tag, wal_key = excluded.wal_key, wal_id = excluded.wal_id, model_id = excluded.model_id,
             user_id = excluded.user_id, document_id = excluded.document_id, tier = excluded.tier,
             version_key = excluded.version_key, source = excluded.source, title = excluded.title,
             metadata = excluded.metadata, content_hash = excluded.content_hash, document_index = excluded.document_index,
             chunk_count = excluded.chunk_count, token_count = excluded.token_count,
             character_count = excluded.character_count, occurred_at = excluded.occurred_at,
             duplicate_of = excluded.duplicate_of, duplicate_hash = excluded.duplicate_hash, pii_version = excluded.pii_version,
             series = excluded.series, series_position = excluded.series_position,
             generation = d.generation + 1, deleted_at = null, updated_at = now()
           where d.version_key < excluded.version_key`,
    params: [
      origin.tenantId,
      origin.batchTag,
      origin.walKey,
      origin.walId,
      origin.modelId,
      rows.map((row) => row.documentUid),
      rows.map((row) => row.versionKey),
      rows.map((row) => row.userId),
      rows.map((row) => row.documentId),
      rows.map((row) => row.tier),
      rows.map((row) => row.source),
      rows.map((row) => row.title),
      rows.map((row) => row.metadataJson),
      rows.map((row) => row.contentHash),
      rows.map((row) => row.documentIndex),
      rows.map((row) => row.chunkCount),
      rows.map((row) => row.tokenCount),
      rows.map((row) => row.characterCount),
      rows.map((row) => row.occurredAt),
      rows.map((row) => row.duplicateOf),
      rows.map((row) => row.duplicateHash),
      origin.piiVersion,
      rows.map((row) => row.series),
      rows.map((row) => row.seriesPosition),
    ],
  };
}

/** Marks documents whose content did not change as seen in this version, so that an older message cannot overwrite them. */
export function touchUnchangedDocuments(
  tenantId: string,
  rows: readonly { readonly documentUid: string; readonly versionKey: string; readonly contentHash: string }[],
): Statement {
  return {
    text: `update documents d set version_key = r.version_key, updated_at = now()
           from unnest($2::uuid[], $3::text[], $4::text[]) as r (document_uid, version_key, content_hash)
           where d.tenant_id = $1 and d.document_uid = r.document_uid and d.version_key < r.version_key
             and d.content_hash = decode(r.content_hash, 'hex') and d.deleted_at is null`,
    params: [
      tenantId,
      rows.map((row) => row.documentUid),
      rows.map((row) => row.versionKey),
      rows.map((row) => row.contentHash),
    ],
  };
}
