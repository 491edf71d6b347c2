import type { LogStore } from "./log-store.ts";
import type { SessionRow } from "./log-rows.ts";
import type { SegmentRows } from "./segment-rows.ts";
import type { SessionDescription, SessionState } from "./session-log-api.ts";

/** Segments and pending batches of one description: a week of ten-minute segments, a quarter of an hour of micro-batches. */
const ENTRIES_MAX = 1_000;

/** What a log says of itself; undefined where there is no session. */
export function describeLog(store: LogStore, segments: SegmentRows): SessionDescription | undefined {
  const session = store.session();
  if (session === undefined) return undefined;
  const { tenantId, userId, sessionId, source, openedAtMs, lastEventAtMs, leaseExpiresAtMs, refusedCount } = session;
  return {
    tenantId,
    userId,
    sessionId,
    source,
    openedAtMs,
    lastEventAtMs,
    leaseExpiresAtMs,
    refusedCount,
    state: stateOf(session, segments.planned() !== undefined),
    seqs: {
      received: session.receivedSeq,
      durable: session.durableSeq,
      queued: session.queuedSeq,
      embedded: session.embeddedSeq,
      sealed: session.sealedSeq,
    },
    segments: segments.descriptions(ENTRIES_MAX),
    pending: store.pendingBatches(ENTRIES_MAX).map(({ walId, firstSeq, lastSeq }) => ({ walId, firstSeq, lastSeq })),
  };
}

function stateOf(session: SessionRow, hasPlan: boolean): SessionState {
  if (hasPlan || session.sealAskedSeq > 0) return "sealing";
  if (!session.isClosed) return "open";
  return session.logFirstAtMs === null ? "closed" : "sealing";
}
