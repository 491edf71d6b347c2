import { z } from "zod";
import type { Statement } from "../sql.ts";

/** Keeps the profile of a batch that the counters know. One row when it is new or another than before, none otherwise. */
export function upsertBatchProfile(
  tenantId: string,
  row: { readonly batchTag: string; readonly profileJson: string; readonly documentCount: number },
): Statement {
  return {
    text: `insert into batch_profiles as p (tenant_id, batch_tag, profile, document_count, first_applied_at)
           select $1, $2, $3::jsonb, $4::bigint, b.first_applied_at from batches b where b.tenant_id = $1 and b.batch_tag = $2
           on conflict (tenant_id, batch_tag) do update set profile = excluded.profile, document_count = excluded.document_count,
             updated_at = now()
           where p.profile <> excluded.profile or p.document_count <> excluded.document_count
           returning p.batch_tag`,
    params: [tenantId, row.batchTag, row.profileJson, row.documentCount],
  };
}

/** The profile of a batch, and those of the batches before it that are large enough to compare with, the latest first. */
export function selectProfiles(
  tenantId: string,
  batch: { readonly batchTag: string; readonly documentsMin: number; readonly baselineBatches: number },
): Statement {
  return {
    text: `with own as (select * from batch_profiles where tenant_id = $1 and batch_tag = $2)
           (select batch_tag, profile, document_count, true as own from own)
           union all
           (select p.batch_tag, p.profile, p.document_count, false from batch_profiles p, own
            where p.tenant_id = $1 and (p.first_applied_at, p.batch_tag) < (own.first_applied_at, own.batch_tag)
              and p.document_count >= $3::bigint
            order by p.first_applied_at desc, p.batch_tag desc limit $4::int)`,
    params: [tenantId, batch.batchTag, batch.documentsMin, batch.baselineBatches],
  };
}

export const profileRowSchema = z.object({
  batch_tag: z.string(),
  profile: z.unknown(),
  document_count: z.coerce.number().int(),
  own: z.boolean(),
});
