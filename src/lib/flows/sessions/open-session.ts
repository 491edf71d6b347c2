/** Opening a session: a lease of the gate, then its marker in R2, then its log. Each step may be repeated; Postgres has no part in it. */
import type { R2Bucket } from "@cloudflare/workers-types";
import type { Log } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SessionGateApi } from "../../session/session-gate-api.ts";
import { sessionKey, type SessionIdentity, type SessionLogApi } from "../../session/session-log-api.ts";
import { askLog } from "./ask-log.ts";
import { noteUnreachable } from "./note-unreachable.ts";
import { createMarker } from "./session-marker.ts";

export interface OpenContext {
  readonly sessionGate: () => Pick<SessionGateApi, "admit" | "release">;
  readonly sessionLog: (session: SessionIdentity) => Pick<SessionLogApi, "open">;
  readonly bucket: R2Bucket;
  readonly log: Pick<Log, "error">;
}

export interface Opening {
  readonly session: SessionIdentity;
  readonly source: string;
  /** Whether to wait in line where there is no room. */
  readonly wait: boolean;
  readonly nowMs: number;
}

export type Opened =
  | { readonly outcome: "opened"; readonly isNew: boolean; readonly leaseExpiresAtMs: number; readonly nextSeq: number }
  | {
      readonly outcome: "waiting";
      readonly ticket: number;
      readonly position: number;
      readonly retryAfterSeconds: number;
    };

/**
 * Opens a session, or renews an open one: asking twice is asking once. Errors: `sessions_full` with the time to ask again, `sessions_unavailable`,
 * `storage_unavailable`. A lease that was given for an opening that failed goes back.
 */
export async function openSession(context: OpenContext, opening: Opening): Promise<Result<Opened, Problem>> {
  const { session, wait, nowMs } = opening;
  const lease = { sessionKey: sessionKey(session) };
  try {
    const admission = await context.sessionGate().admit({ ...lease, tenantId: session.tenantId, wait, nowMs });
    if (admission.outcome === "refused")
      return err({ code: "sessions_full", retryAfterSeconds: Math.ceil(admission.retryAfterMs / 1000) });
    if (admission.outcome === "waiting") {
      const { number, position, retryAfterMs } = admission;
      return ok({ outcome: "waiting", ticket: number, position, retryAfterSeconds: Math.ceil(retryAfterMs / 1000) });
    }
    const opened = await openLog(context, opening, admission.expiresAtMs);
    if (opened.ok) return ok({ outcome: "opened", isNew: admission.isNew, ...opened.value });
    if (admission.isNew) await context.sessionGate().release(lease);
    return opened;
  } catch (thrown) {
    noteUnreachable(context.log, "gate", thrown);
    return err({ code: "sessions_unavailable" });
  }
}

async function openLog(
  context: OpenContext,
  { session, source, nowMs }: Opening,
  leaseExpiresAtMs: number,
): Promise<Result<{ readonly leaseExpiresAtMs: number; readonly nextSeq: number }, Problem>> {
  // Comes before the log, so that no log is without one.
  const marked = await createMarker(context.bucket, {
    version: 1,
    tenant_id: session.tenantId,
    user_id: session.userId,
    session_id: session.sessionId,
    source,
    opened_at: new Date(nowMs).toISOString(),
  });
  if (!marked.ok) return marked;
  const opening = { ...session, source, leaseExpiresAtMs, nowMs };
  const opened = await askLog(context, () => context.sessionLog(session).open(opening));
  return opened.ok ? ok({ leaseExpiresAtMs, nextSeq: opened.value.nextSeq }) : opened;
}
