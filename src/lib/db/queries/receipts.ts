import { z } from "zod";
import { outcomeSchema, reasonSchema } from "../../contract/verdict.ts";
import type { Scope, Statement } from "../sql.ts";
import { chunksOf } from "./document-chunks.ts";

/** A receipt with the document it became. */
export function selectReceipt({ tenantId, userId }: Scope, walId: string, documentIndex: number): Statement {
  return {
    text: `select r.*, encode(d.content_hash, 'hex') as content_hash, d.generation, m.fingerprint
           from receipts r left join documents d on d.tenant_id = r.tenant_id and d.document_uid = r.document_uid
             and d.version_key = r.version_key
           left join embedding_models m on m.model_id = d.model_id
           where r.tenant_id = $1 and ($2 = '*' or r.user_id in ('', $2)) and r.wal_id = $3 and r.document_index = $4::int`,
    params: [tenantId, userId, walId, documentIndex],
  };
}

export const receiptRowSchema = z.object({
  tenant_id: z.string(),
  wal_id: z.string(),
  document_index: z.int(),
  user_id: z.string(),
  batch_tag: z.string(),
  document_uid: z.string().nullable(),
  document_id: z.string(),
  outcome: outcomeSchema,
  reasons: z.array(reasonSchema),
  version_key: z.string(),
  chunk_count: z.int(),
  chunk_reused_count: z.int(),
  chunk_failed_count: z.int(),
  token_count: z.int(),
  applied_at: z.date(),
  content_hash: z.string().nullish(),
  generation: z.coerce.number().nullish(),
  tier: z.string(),
  fingerprint: z.string().nullish(),
});
export type ReceiptRecord = z.infer<typeof receiptRowSchema>;

/** Counts what the store holds now of the document behind a receipt. */
export function recountDocument({ tenantId, userId }: Scope, documentUid: string): Statement {
  return {
    text: `with named as materialized (select $3::uuid as document_uid), ${chunksOf("named")}
           select d.tenant_id, d.user_id, d.version_key, d.deleted_at is not null as deleted, d.chunk_count as expected_chunk_count,
             (select count(*) from chunks c where c.model_id = d.model_id and c.generation = d.generation) as chunk_count,
             (select count(*) from chunks c where c.generation <> d.generation) as stale_chunk_count
           from documents d where d.tenant_id = $1 and ($2 = '*' or d.user_id in ('', $2)) and d.document_uid = $3::uuid`,
    params: [tenantId, userId, documentUid],
  };
}

export const recountRowSchema = z.object({
  tenant_id: z.string(),
  user_id: z.string(),
  version_key: z.string(),
  deleted: z.boolean(),
  expected_chunk_count: z.int(),
  chunk_count: z.coerce.number().int(),
  stale_chunk_count: z.coerce.number().int(),
});

export interface ReceiptPage {
  readonly batchTag: string;
  readonly outcome: string | null;
  /** The last receipt of the page before, or null for the first page. */
  readonly after: { readonly walId: string; readonly documentIndex: number } | null;
  readonly rowsMax: number;
}

/** One page of a batch's receipts, in the order they were sent. */
export function selectReceipts({ tenantId, userId }: Scope, page: ReceiptPage): Statement {
  return {
    text: `select r.* from receipts r where r.tenant_id = $1 and ($2 = '*' or r.user_id in ('', $2)) and r.batch_tag = $3
             and ($4::text is null or r.outcome = $4) and ($5::text is null or (r.wal_id, r.document_index) > ($5, $6::int))
           order by r.wal_id, r.document_index limit $7::int`,
    params: [
      tenantId,
      userId,
      page.batchTag,
      page.outcome,
      page.after?.walId ?? null,
      page.after?.documentIndex ?? 0,
      page.rowsMax,
    ],
  };
}
