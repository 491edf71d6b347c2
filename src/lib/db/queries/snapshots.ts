import { z } from "zod";
import type { Statement } from "../sql.ts";

/** Where a database stands: its clock, its write-ahead log, the transactions that have ended. Asks no table. */
export const SELECT_WATERMARK: Statement = {
  text: `select clock_timestamp() as time, pg_current_snapshot()::text as snapshot,
    (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text as wal_lsn`,
  params: [],
};

export const watermarkRowSchema = z.object({
  time: z.date(),
  snapshot: z.string(),
  wal_lsn: z.string().nullable(),
});

export interface SessionName {
  readonly userId: string;
  readonly sessionId: string;
}

/** Which of these sessions of the tenant were erased since. */
export function selectErasedSessions(
  tenantId: string,
  { since, sessions }: { readonly since: Date; readonly sessions: readonly SessionName[] },
): Statement {
  return {
    text: `select user_id, session_id from sessions where tenant_id = $1 and erased_at >= $2::timestamptz
             and (user_id, session_id) in (select * from unnest($3::text[], $4::text[]))`,
    params: [
      tenantId,
      since.toISOString(),
      sessions.map(({ userId }) => userId),
      sessions.map(({ sessionId }) => sessionId),
    ],
  };
}

export const erasedSessionRowSchema = z.object({ user_id: z.string(), session_id: z.string() });
