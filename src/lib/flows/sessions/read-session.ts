/** What is known of a session: its log's own words, and of the ledger how far its events are applied. */
import type { Log } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SessionReply } from "../../contract/session.ts";
import type { Sql } from "../../db/sql.ts";
import type { SessionDescription, SessionIdentity, SessionLogApi } from "../../session/session-log-api.ts";
import { ownRows } from "../own-rows.ts";
import { askLog } from "./ask-log.ts";
import { readEmbedded } from "./read-embedded.ts";

export interface ReadSessionContext {
  readonly sql: Sql;
  readonly log: Pick<Log, "error">;
  readonly sessionLog: (session: SessionIdentity) => Pick<SessionLogApi, "describe" | "noteEmbedded">;
}

/**
 * State of a session: one call of its log, one read of the ledger where something may have come. Errors:
 * `session_unknown`, `sessions_unavailable`, `database_unavailable`.
 */
export async function readSession(
  context: ReadSessionContext,
  session: SessionIdentity,
): Promise<Result<SessionReply, Problem>> {
  const log = context.sessionLog(session);
  const described = await askLog(context, () => log.describe());
  if (!described.ok) return described;
  const description = described.value;
  if (description === null) return err({ code: "session_unknown" });
  const owner = { tenant_id: description.tenantId, user_id: description.userId };
  const own = ownRows("sessions", session, [owner]);
  if (!own.ok) return own;
  const embedded = await readEmbedded(context.sql, description);
  if (!embedded.ok) return embedded;
  // The log need not be asked about these again.
  if (embedded.value > description.seqs.embedded)
    await askLog(context, () => log.noteEmbedded({ seq: embedded.value }));
  return ok(replyOf(description, embedded.value));
}

function replyOf(description: SessionDescription, embedded: number): SessionReply {
  return {
    session_id: description.sessionId,
    user_id: description.userId,
    source: description.source,
    state: description.state,
    opened_at: timeText(description.openedAtMs),
    last_event_at: description.lastEventAtMs === null ? null : timeText(description.lastEventAtMs),
    lease_expires_at: timeText(description.leaseExpiresAtMs),
    seqs: { ...description.seqs, embedded },
    refused_count: description.refusedCount,
    segments: description.segments.map((segment) => ({
      artifact_id: segment.artifactId,
      first_seq: segment.firstSeq,
      last_seq: segment.lastSeq,
      event_count: segment.eventCount,
      size_bytes: segment.sizeBytes,
      created_at: timeText(segment.createdAtMs),
      registered: segment.registered,
    })),
  };
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
