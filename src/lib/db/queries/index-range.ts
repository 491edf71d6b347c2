import { z } from "zod";
import type { Reason } from "../../contract/verdict.ts";
import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";
import type { StoreVariant } from "./models.ts";
import { DISOWNED_RECEIPT, isErasedSql, RECEIPT_VERSION } from "./user-erasures.ts";

/** One applied range: the dedupe key that commits with its effect. A second commit fails with `unique_violation`. */
export interface RangeKey {
  readonly tenantId: string;
  readonly walId: string;
  readonly rangeIndex: number;
}

/** Whether a range was applied before. */
export function selectLedgerRow(key: RangeKey): Statement {
  return {
    text: "select state from wal_ledger where tenant_id = $1 and wal_id = $2 and range_index = $3::int",
    params: [key.tenantId, key.walId, key.rangeIndex],
  };
}

export function insertLedgerRow(
  key: RangeKey,
  row: { readonly batchTag: string; readonly state: "applied" | "dead"; readonly documentCount: number },
): Statement {
  return {
    text: `insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
           values ($1, $2, $3::int, $4, $5, $6::int)`,
    params: [key.tenantId, key.walId, key.rangeIndex, row.batchTag, row.state, row.documentCount],
  };
}

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

/** Which of the chunk hashes (hexadecimal) have a vector of this model somewhere in the tenant. */
export function selectKnownChunkHashes(tenantId: string, modelId: number, chunkHashes: readonly string[]): Statement {
  return {
    text: `select distinct encode(e.chunk_hash, 'hex') as chunk_hash from doc_embeddings e
           where e.tenant_id = $1 and e.model_id = $2::int
             and e.chunk_hash = any(array(select decode(h, 'hex') from unnest($3::text[]) h))`,
    params: [tenantId, modelId, chunkHashes],
  };
}

export const chunkHashRowSchema = z.object({ chunk_hash: z.string() });

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

export interface BatchOrigin {
  readonly tenantId: string;
  readonly batchTag: string;
  readonly walKey: string;
  readonly walId: string;
}

export interface RangeOrigin extends BatchOrigin {
  readonly modelId: number;
  /** Of the request: with what it was judged. */
  readonly gateVersion: string;
  readonly piiVersion: string;
  readonly policyVersion: number;
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

export interface ChunkRow {
  readonly documentUid: string;
  /** Version or generation of the document, see `insertChunks`. */
  readonly version: string;
  readonly chunkIndex: number;
  readonly chunkHash: string;
  readonly text: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly tokenCount: number;
  readonly lexemeCount: number;
  /** Vector as text, or null to take the known vector of the same chunk hash. */
  readonly embedding: string | null;
  readonly lexemes: string;
  /** `hashPrefix` of the normalised hash of `text`. */
  readonly textHash: number;
}

const VECTOR_TYPES = {
  vector: { embedding: "halfvec", lexemes: "sparsevec" },
  jsonb: { embedding: "jsonb", lexemes: "jsonb" },
} as const satisfies Record<StoreVariant, unknown>;

export interface ChunkTarget {
  readonly variant: StoreVariant;
  /** What `version` of the rows is: a range names the version that it wrote, what comes later under another model the generation that it found. */
  readonly version: "version_key" | "generation";
}

/**
 * Inserts the chunks of those documents that have this version and are not deleted. They end where their document ends. A known vector that is gone fails
 * the transaction (not null).
 */
export function insertChunks(
  origin: Pick<RangeOrigin, "tenantId" | "modelId">,
  { variant, version }: ChunkTarget,
  rows: readonly ChunkRow[],
): Statement {
  const types = VECTOR_TYPES[variant];
  return {
    text: `insert into doc_embeddings (tenant_id, model_id, document_uid, generation, user_id, tier, source, batch_tag,
             occurred_at, pii_version, chunk_index, chunk_hash, text, start_offset, end_offset, token_count, lexeme_count, embedding, lexemes,
             text_hash, valid_until)
           select d.tenant_id, $2::int, d.document_uid, d.generation, d.user_id, d.tier, d.source, d.batch_tag, d.occurred_at,
             d.pii_version, c.chunk_index, decode(c.chunk_hash, 'hex'), c.text, c.start_offset, c.end_offset, c.token_count, c.lexeme_count,
             coalesce(c.embedding::${types.embedding}, (select k.embedding from doc_embeddings k where k.tenant_id = $1
               and k.model_id = $2::int and k.chunk_hash = decode(c.chunk_hash, 'hex') limit 1)),
             c.lexemes::${types.lexemes}, c.text_hash, case when d.series is not null then d.valid_until end
           from unnest($3::uuid[], $4::text[], $5::int[], $6::text[], $7::text[], $8::int[], $9::int[], $10::int[], $11::int[],
             $12::text[], $13::text[], $14::bigint[])
             as c (document_uid, version, chunk_index, chunk_hash, text, start_offset, end_offset, token_count,
               lexeme_count, embedding, lexemes, text_hash)
           join documents d on d.tenant_id = $1 and d.document_uid = c.document_uid and d.${version}${version === "generation" ? "::text" : ""} = c.version
             and d.deleted_at is null`,
    params: [
      origin.tenantId,
      origin.modelId,
      rows.map((row) => row.documentUid),
      rows.map((row) => row.version),
      rows.map((row) => row.chunkIndex),
      rows.map((row) => row.chunkHash),
      rows.map((row) => row.text),
      rows.map((row) => row.startOffset),
      rows.map((row) => row.endOffset),
      rows.map((row) => row.tokenCount),
      rows.map((row) => row.lexemeCount),
      rows.map((row) => row.embedding),
      rows.map((row) => row.lexemes),
      rows.map((row) => row.textHash),
    ],
  };
}

/** Deletes the chunks of former generations. A document of the first generation has none, and costs one look-up of its row. */
export function deleteFormerGenerations(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `with changed as materialized (
             select document_uid, generation from documents where tenant_id = $1 and document_uid = any($2::uuid[]) and generation > 1
           ), ${chunksOf("changed")}
           delete from doc_embeddings e using chunks c, changed d
           where d.document_uid = c.document_uid and c.generation <> d.generation and e.tenant_id = $1 and ${isChunk("e", "c")}`,
    params: [tenantId, documentUids],
  };
}

export interface ReceiptRow {
  readonly documentIndex: number;
  readonly userId: string;
  readonly documentUid: string | null;
  readonly documentId: string;
  readonly outcome: "indexed" | "unchanged" | "duplicate" | "quarantined" | "rejected" | "failed";
  readonly reasons: readonly Reason[];
  readonly versionKey: string;
  readonly chunkReusedCount: number;
  readonly chunkFailedCount: number;
  readonly tokenCount: number;
  readonly source: string;
  readonly tier: string;
  readonly language: string;
  readonly characterCount: number;
  readonly relaxedStep: number;
  readonly piiCountsJson: string;
  readonly duplicateOf: string | null;
}

/**
 * One receipt per input. Outcomes are settled against the store as it is in this transaction: what lost to a later
 * version is `unchanged` (superseded); what was thought unchanged but is not any more makes the outcome null, which
 * fails the transaction (constraint_violation) so that the range is prepared anew. chunk_count is counted.
 */
export function insertReceipts(origin: RangeOrigin, rows: readonly ReceiptRow[]): Statement {
  return {
    text: `insert into receipts (tenant_id, wal_id, batch_tag, document_index, user_id, document_uid, document_id, version_key,
             outcome, reasons, chunk_count, chunk_reused_count, chunk_failed_count, token_count, source, tier, language,
             character_count, relaxed_step, pii_counts, duplicate_of, model_id, gate_version, pii_version, policy_version)
           select $1, $2, $3, r.document_index, r.user_id, r.document_uid, r.document_id, r.version_key,
             case when r.outcome in ('indexed', 'duplicate') and d.version_key > r.version_key then 'unchanged'
                  when r.outcome = 'unchanged' and (d.version_key is null or d.version_key < r.version_key) then null
                  else r.outcome end,
             case when r.outcome in ('indexed', 'unchanged', 'duplicate') and d.version_key > r.version_key
                  then r.reasons::jsonb || '[{"code": "superseded"}]' else r.reasons::jsonb end,
             case when r.outcome = 'indexed' and d.version_key = r.version_key
                  then (select count(*) from doc_embeddings e where e.tenant_id = $1 and e.model_id = $4::int
                    and e.document_uid = r.document_uid and e.generation = d.generation) else 0 end,
             r.chunk_reused_count, r.chunk_failed_count, r.token_count, r.source, r.tier, r.language, r.character_count, r.relaxed_step,
             r.pii_counts::jsonb, r.duplicate_of, case when r.outcome = 'indexed' then $4::int end, $22, $23, $24::bigint
           from unnest($5::int[], $6::text[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[],
             $13::int[], $14::int[], $15::text[], $16::text[], $17::text[], $18::int[], $19::int[], $20::text[], $21::uuid[])
             as r (document_index, user_id, document_uid, document_id, version_key, outcome, reasons, chunk_reused_count,
               chunk_failed_count, token_count, source, tier, language, character_count, relaxed_step, pii_counts, duplicate_of)
           left join documents d on d.tenant_id = $1 and d.document_uid = r.document_uid`,
    params: [
      origin.tenantId,
      origin.walId,
      origin.batchTag,
      origin.modelId,
      rows.map((row) => row.documentIndex),
      rows.map((row) => row.userId),
      rows.map((row) => row.documentUid),
      rows.map((row) => row.documentId),
      rows.map((row) => row.versionKey),
      rows.map((row) => row.outcome),
      rows.map((row) => JSON.stringify(row.reasons)),
      rows.map((row) => row.chunkReusedCount),
      rows.map((row) => row.chunkFailedCount),
      rows.map((row) => row.tokenCount),
      rows.map((row) => row.source),
      rows.map((row) => row.tier),
      rows.map((row) => row.language),
      rows.map((row) => row.characterCount),
      rows.map((row) => row.relaxedStep),
      rows.map((row) => row.piiCountsJson),
      rows.map((row) => row.duplicateOf),
      origin.gateVersion,
      origin.piiVersion,
      origin.policyVersion,
    ],
  };
}

/** Receipts of a range that can never be applied: every input of it ends as `failed`. */
export function insertFailedReceipts(
  origin: BatchOrigin,
  rows: readonly { readonly documentIndex: number; readonly userId: string; readonly documentId: string }[],
  code: string,
): Statement {
  return {
    text: `insert into receipts (tenant_id, wal_id, batch_tag, document_index, user_id, document_id, version_key, outcome, reasons)
           select $1, $2, $3, r.document_index, r.user_id, r.document_id, '', 'failed', jsonb_build_array(jsonb_build_object('code', $4::text))
           from unnest($5::int[], $6::text[], $7::text[]) as r (document_index, user_id, document_id)
           on conflict do nothing`,
    params: [
      origin.tenantId,
      origin.walId,
      origin.batchTag,
      code,
      rows.map((row) => row.documentIndex),
      rows.map((row) => row.userId),
      rows.map((row) => row.documentId),
    ],
  };
}

/**
 * Makes nobody's those of this range's receipts whose user was erased after the input had been sent. They stay, so that every input of the batch has
 * ended; comes after the receipts were written and before they are counted.
 */
export function disownErasedReceipts({ tenantId, walId }: BatchOrigin, documentIndexes: readonly number[]): Statement {
  return {
    text: `update receipts r set ${DISOWNED_RECEIPT}, outcome = 'rejected', reasons = '[{"code": "erased"}]'
           where tenant_id = $1 and wal_id = $2 and document_index = any($3::int[]) and ${isErasedSql(RECEIPT_VERSION, "r.user_id")}`,
    params: [tenantId, walId, documentIndexes],
  };
}

/** Adds what this range's receipts say, as they stand in the store, to the counters of its batch. */
export function addToBatch(origin: BatchOrigin, documentIndexes: readonly number[]): Statement {
  return {
    text: `insert into batches as b (tenant_id, batch_tag, indexed_count, unchanged_count, duplicate_count, quarantined_count,
             rejected_count, failed_count, chunk_count, chunk_reused_count, chunk_failed_count, token_count)
           select $1, $2, count(*) filter (where outcome = 'indexed'), count(*) filter (where outcome = 'unchanged'),
             count(*) filter (where outcome = 'duplicate'), count(*) filter (where outcome = 'quarantined'),
             count(*) filter (where outcome = 'rejected'), count(*) filter (where outcome = 'failed'),
             coalesce(sum(r.chunk_count), 0), coalesce(sum(r.chunk_reused_count), 0),
             coalesce(sum(r.chunk_failed_count), 0), coalesce(sum(r.token_count), 0)
           from receipts r where r.tenant_id = $1 and r.wal_id = $3 and r.document_index = any($4::int[])
           on conflict (tenant_id, batch_tag) do update set
             indexed_count = b.indexed_count + excluded.indexed_count,
             unchanged_count = b.unchanged_count + excluded.unchanged_count,
             duplicate_count = b.duplicate_count + excluded.duplicate_count,
             quarantined_count = b.quarantined_count + excluded.quarantined_count,
             rejected_count = b.rejected_count + excluded.rejected_count,
             failed_count = b.failed_count + excluded.failed_count,
             chunk_count = b.chunk_count + excluded.chunk_count,
             chunk_reused_count = b.chunk_reused_count + excluded.chunk_reused_count,
             chunk_failed_count = b.chunk_failed_count + excluded.chunk_failed_count,
             token_count = b.token_count + excluded.token_count, last_applied_at = now()`,
    params: [origin.tenantId, origin.batchTag, origin.walId, documentIndexes],
  };
}
