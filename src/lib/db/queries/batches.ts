import { z } from "zod";
import type { Statement } from "../sql.ts";

// int8 travels as text.
const countSchema = z.coerce.number().int();

/** Counters of a batch as its commits added them up. */
export function selectBatch(tenantId: string, batchTag: string): Statement {
  return {
    text: "select * from batches where tenant_id = $1 and batch_tag = $2",
    params: [tenantId, batchTag],
  };
}

export const batchRowSchema = z.object({
  tenant_id: z.string(),
  batch_tag: z.string(),
  indexed_count: countSchema,
  unchanged_count: countSchema,
  duplicate_count: countSchema,
  quarantined_count: countSchema,
  rejected_count: countSchema,
  failed_count: countSchema,
  chunk_count: countSchema,
  chunk_reused_count: countSchema,
  chunk_failed_count: countSchema,
  token_count: countSchema,
  first_applied_at: z.date(),
  last_applied_at: z.date(),
});
export type BatchRow = z.infer<typeof batchRowSchema>;

/** The requests of a batch that are in the ledger, with how many of their inputs ended. */
export function selectBatchLedger(tenantId: string, batchTag: string): Statement {
  return {
    text: `select wal_id, sum(document_count) as document_count from wal_ledger
           where tenant_id = $1 and batch_tag = $2 group by wal_id`,
    params: [tenantId, batchTag],
  };
}

export const batchLedgerRowSchema = z.object({ wal_id: z.string(), document_count: countSchema });

/** One page of batches, the latest first. */
export function selectBatches(
  tenantId: string,
  page: { readonly beforeMs: number | null; readonly rowsMax: number },
): Statement {
  return {
    text: `select * from batches where tenant_id = $1 and ($2::timestamptz is null or last_applied_at < $2::timestamptz)
           order by last_applied_at desc, batch_tag limit $3::int`,
    params: [tenantId, page.beforeMs === null ? null : new Date(page.beforeMs).toISOString(), page.rowsMax],
  };
}
