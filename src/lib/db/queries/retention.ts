import { z } from "zod";
import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";

export interface BatchName {
  readonly tenantId: string;
  readonly batchTag: string;
}

/**
 * Batches whose last input was applied more than `days` ago, oldest first, without pinned ones and those of sessions and profiles: what these hold goes
 * with its session or user. A batch that was dropped has no row any more.
 */
export function selectExpiredBatches(
  tenantId: string,
  page: { readonly days: number; readonly pinned: readonly string[]; readonly rowsMax: number },
): Statement {
  return {
    text: `select b.batch_tag from batches b
           where b.tenant_id = $1 and b.last_applied_at < now() - make_interval(days => $2::int) and b.batch_tag <> all($3::text[])
             and b.batch_tag !~ '^(session|profile)-[0-9a-f]{24}$'
             and not exists (select 1 from receipts r where r.tenant_id = b.tenant_id and r.batch_tag = b.batch_tag and r.tier = 'profile')
           order by b.last_applied_at, b.batch_tag limit $4::int`,
    params: [tenantId, page.days, page.pinned, page.rowsMax],
  };
}

export const expiredBatchRowSchema = z.object({ batch_tag: z.string() });

/**
 * SQL: documents of which a batch brought the version that holds. What a rescan sent again counts to the batch that it came with first; what was let
 * out of the quarantine counts to the release, which is a batch of its own.
 */
const OWN_DOCUMENTS = `documents d join receipts r on r.tenant_id = d.tenant_id and r.document_uid = d.document_uid
  where d.tenant_id = $1 and r.batch_tag = $2 and d.deleted_at is null
    and (left(d.version_key, 26) = r.wal_id or (r.version_key = d.version_key and r.reasons @> '[{"code": "released"}]'))`;

const TEXT_OF_COUNT = `select (select count(distinct d.document_uid) from ${OWN_DOCUMENTS}) as document_count,
  (select count(*) from receipts where tenant_id = $1 and batch_tag = $2) as receipt_count`;

/** What dropping a batch would remove. */
export function countBatch({ tenantId, batchTag }: BatchName): Statement {
  return { text: TEXT_OF_COUNT, params: [tenantId, batchTag] };
}

export const batchCountRowSchema = z.object({
  document_count: z.coerce.number().int(),
  receipt_count: z.coerce.number().int(),
});

/** Deletes one page of a batch's documents with what hangs on them. A document that gets a newer version meanwhile stays. */
export function dropBatchDocuments({ tenantId, batchTag }: BatchName, rowsMax: number): Statement {
  const inPage = "tenant_id = $1 and document_uid in (select document_uid from page)";
  return {
    text: `with page as (select d.document_uid from ${OWN_DOCUMENTS} order by d.document_uid limit $3::int for update of d),
           ${chunksOf("page")},
           dropped as (delete from doc_embeddings e using chunks c where e.tenant_id = $1 and ${isChunk("e", "c")} returning 1),
           bands as (delete from signature_bands where ${inPage}),
           signatures as (delete from document_signatures where ${inPage}),
           refusals as (delete from model_refusals where ${inPage}),
           gone as (delete from documents where ${inPage} returning 1)
           select (select count(*) from gone)::int as document_count, (select count(*) from dropped)::int as chunk_count`,
    params: [tenantId, batchTag, rowsMax],
  };
}

export const droppedPageRowSchema = z.object({ document_count: z.int(), chunk_count: z.int() });

/** Deletes one page of a batch's receipts; documents first, which are found by them. */
export function dropBatchReceipts({ tenantId, batchTag }: BatchName, rowsMax: number): Statement {
  return {
    text: `with gone as (
             delete from receipts where tenant_id = $1 and (wal_id, document_index) in (
               select wal_id, document_index from receipts where tenant_id = $1 and batch_tag = $2 limit $3::int)
             returning 1)
           select count(*)::int as row_count from gone`,
    params: [tenantId, batchTag, rowsMax],
  };
}

export const droppedRowsSchema = z.object({ row_count: z.int() });

/** Deletes the batch itself, last. Its ledger stays: without it the sweeper would bring everything back. */
export function dropBatch({ tenantId, batchTag }: BatchName, reportArtifactId: string): readonly Statement[] {
  return [
    {
      text: "delete from artifacts where tenant_id = $1 and artifact_id = $2 and kind = 'report'",
      params: [tenantId, reportArtifactId],
    },
    { text: "delete from batch_profiles where tenant_id = $1 and batch_tag = $2", params: [tenantId, batchTag] },
    { text: "delete from batches where tenant_id = $1 and batch_tag = $2", params: [tenantId, batchTag] },
  ];
}
