import { z } from "zod";
import type { Statement } from "../sql.ts";

export interface ErasedSession {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
}

/**
 * Notes that a session was erased: no segment that was made before is registered after this. `erasedAtMs` is a time at which its log was empty. The
 * row stays, with nothing in it.
 */
export function markSessionErased({ tenantId, userId, sessionId }: ErasedSession, erasedAtMs: number): Statement {
  return {
    text: `insert into sessions as s (tenant_id, user_id, session_id, erased_at)
           values ($1, $2, $3, to_timestamp($4::float8 / 1000))
           on conflict (tenant_id, user_id, session_id) do update set source = '', first_event_at = null, last_event_at = null,
             sealed_seq = 0, event_count = 0, segment_count = 0, updated_at = now(),
             erased_at = greatest(s.erased_at, excluded.erased_at)`,
    params: [tenantId, userId, sessionId, erasedAtMs],
  };
}

/** When a session was last erased, milliseconds, or null. */
export function selectSessionErasure({ tenantId, userId, sessionId }: ErasedSession): Statement {
  return {
    text: `select max(extract(epoch from erased_at) * 1000)::float8 as erased_at_ms from sessions
           where tenant_id = $1 and user_id = $2 and session_id = $3`,
    params: [tenantId, userId, sessionId],
  };
}

export const sessionErasureRowSchema = z.object({ erased_at_ms: z.number().nullable() });

/** Takes segments out of the artifacts, by their keys. Their members first: they are found by the artifacts. */
export function deleteSegments(
  { tenantId, userId }: Pick<ErasedSession, "tenantId" | "userId">,
  objectKeys: readonly string[],
): Statement[] {
  const params = [tenantId, userId, objectKeys];
  const own = "tenant_id = $1 and user_id = $2 and object_key = any($3::text[])";
  return [
    {
      text: `delete from artifact_members where tenant_id = $1 and user_id = $2
               and artifact_id in (select artifact_id from artifacts where ${own})`,
      params,
    },
    { text: `delete from artifacts where ${own}`, params },
  ];
}

/** Quarantined events of a session whose texts are still there, in order of their objects. */
export function selectHeldEvents({ tenantId, userId, sessionId }: ErasedSession, rowsMax: number): Statement {
  return {
    text: `select quarantine_id, object_key, document_index from quarantine
           where tenant_id = $1 and user_id = $2 and tier = 'event' and text_removed_at is null and state <> 'releasing'
             and starts_with(document_id, $3) and substr(document_id, length($3) + 1) ~ '^[0-9]+$'
           order by object_key, quarantine_id limit $4::int`,
    params: [tenantId, userId, `${sessionId}/`, rowsMax],
  };
}

export const heldEventRowSchema = z.object({
  quarantine_id: z.string(),
  object_key: z.string(),
  document_index: z.int(),
});
