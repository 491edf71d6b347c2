import type { Reason } from "../../contract/verdict.ts";
import type { Statement } from "../sql.ts";
import type { BatchOrigin, RangeOrigin } from "./range-origin.ts";
import { DISOWNED_RECEIPT, isErasedSql, RECEIPT_VERSION } from "./user-erasures.ts";

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
