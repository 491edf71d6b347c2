import { z } from "zod";
import type { Statement } from "../sql.ts";
import type { ProfileName } from "./profiles.ts";

/** Tenants that have facts on their way, or changed by SQL. Nothing else of them can be seen. */
export const SELECT_TENANTS_WITH_UNSENT: Statement = {
  text: "select t.tenant_id from tenants_with_unsent_profiles() as t (tenant_id)",
  params: [],
};

export const tenantIdRowSchema = z.object({ tenant_id: z.string() });

/** WAL ids of what was committed by `untilMs` (milliseconds since the epoch) and waits for its WAL object. `userId` '*': of all users. */
export function selectWaiting(
  { tenantId, userId }: ProfileName,
  { untilMs, rowsMax }: { readonly untilMs: number; readonly rowsMax: number },
): Statement {
  return {
    text: `select distinct outbox->'head'->>'wal_id' as wal_id from profiles
           where tenant_id = $1 and ($2 = '*' or user_id = $2) and outbox is not null
             and (outbox->'head'->>'received_at_ms')::float8 <= $3::float8
           order by 1 limit $4::int`,
    params: [tenantId, userId, untilMs, rowsMax],
  };
}

export const waitingRowSchema = z.object({ wal_id: z.string() });

/** All that goes into one WAL object. */
export function selectOutbox({ tenantId, userId }: ProfileName, walId: string): Statement {
  return {
    text: `select outbox from profiles
           where tenant_id = $1 and ($2 = '*' or user_id = $2) and outbox is not null and outbox->'head'->>'wal_id' = $3`,
    params: [tenantId, userId, walId],
  };
}

export const outboxRowSchema = z.object({ outbox: z.unknown() });

/** Empties the outbox of what is in the WAL. */
export function markSent({ tenantId, userId }: ProfileName, walId: string): Statement {
  return {
    text: `update profiles set outbox = null, sent_at = now()
           where tenant_id = $1 and ($2 = '*' or user_id = $2) and outbox is not null and outbox->'head'->>'wal_id' = $3`,
    params: [tenantId, userId, walId],
  };
}

/** Versions whose content was never sent, or is another than was sent: rows that somebody wrote by SQL. */
export function selectChangedBySql(tenantId: string, rowsMax: number): Statement {
  return {
    text: `select user_id, fact_key, version::float8 as version, value, removed, source, observed_at,
             profile_content_hash(removed, value, source, observed_at)::text as content_hash
           from profiles where tenant_id = $1 and outbox is null
             and sent_hash is distinct from profile_content_hash(removed, value, source, observed_at)
           order by user_id, fact_key, version limit $2::int`,
    params: [tenantId, rowsMax],
  };
}

export const changedRowSchema = z.object({
  user_id: z.string(),
  fact_key: z.string(),
  version: z.int(),
  value: z.string(),
  removed: z.boolean(),
  source: z.string(),
  observed_at: z.date(),
  content_hash: z.string(),
});
export type ChangedRow = z.infer<typeof changedRowSchema>;

/** Puts changed rows into the outbox; those that changed again meanwhile, or are there already, stay as they are. */
export function claimChanged(
  tenantId: string,
  rows: readonly { readonly row: ChangedRow; readonly outboxJson: string }[],
): Statement {
  return {
    text: `update profiles p set outbox = r.outbox::jsonb, sent_hash = r.content_hash
           from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])
             as r (user_id, fact_key, version, content_hash, outbox)
           where p.tenant_id = $1 and p.user_id = r.user_id and p.fact_key = r.fact_key and p.version = r.version
             and p.outbox is null and p.sent_hash is distinct from r.content_hash
             and profile_content_hash(p.removed, p.value, p.source, p.observed_at) = r.content_hash
           returning p.outbox`,
    params: [
      tenantId,
      rows.map(({ row }) => row.user_id),
      rows.map(({ row }) => row.fact_key),
      rows.map(({ row }) => row.version),
      rows.map(({ row }) => row.content_hash),
      rows.map(({ outboxJson }) => outboxJson),
    ],
  };
}

/** Documents of facts whose row somebody deleted. */
export function selectDocumentsWithoutFact(tenantId: string, rowsMax: number): Statement {
  return {
    text: `select d.document_uid, d.user_id, d.document_id, d.series from documents d
           where d.tenant_id = $1 and d.tier = 'profile' and d.series is not null and d.deleted_at is null and not exists (
             select 1 from profiles p where p.tenant_id = d.tenant_id and p.user_id = d.user_id
               and 'profile/' || p.fact_key || '/' || p.version = d.document_id)
           order by d.document_uid limit $2::int`,
    params: [tenantId, rowsMax],
  };
}

export const documentWithoutFactRowSchema = z.object({
  document_uid: z.string(),
  user_id: z.string(),
  document_id: z.string(),
  series: z.string(),
});

/** Takes a document out of its series: the one before it goes on as if it had not been. */
export function leaveSeries(tenantId: string, documentUid: string): Statement {
  return {
    text: "update documents set series = null, valid_until = null where tenant_id = $1 and document_uid = $2::uuid",
    params: [tenantId, documentUid],
  };
}
