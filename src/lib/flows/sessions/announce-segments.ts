import type { SealMessage } from "../../contract/queue-message.ts";
import { ANNOUNCE_EVERY_MS } from "../../session/log-schedule.ts";
import type { SessionRow } from "../../session/log-rows.ts";
import { segmentArtifactId } from "../../session/segment-artifact.ts";
import type { StoredSegment } from "../../session/segment-rows.ts";
import type { Done, LogContext } from "./log-context.ts";

/** Segments announced at one time: with the queue down for a day there are some, and the next alarm takes the rest. */
const ANNOUNCEMENTS_MAX = 20;
/** Objects of plans given up that are deleted at one time. */
const ORPHANS_MAX = 100;

/** Tells the seal queue of the segments that nobody has registered, again and again until somebody has. */
export async function announceSegments(context: LogContext): Promise<Done> {
  const session = context.store.session();
  if (session === undefined) return true;
  const nowMs = context.clock();
  try {
    for (const segment of context.segments.unannounced(nowMs - ANNOUNCE_EVERY_MS, ANNOUNCEMENTS_MAX)) {
      await context.sealQueue.send(sealMessage(session, segment, nowMs), { contentType: "json" });
      context.segments.markAnnounced(segment.firstSeq, nowMs);
    }
    return true;
  } catch {
    context.log.warn("session_announce_failed", { tenant_id: session.tenantId });
    return false;
  }
}

/** Deletes what plans that were given up may have left in R2. */
export async function deleteOrphans({ bucket, segments, log }: LogContext): Promise<Done> {
  const orphans = segments.orphans(ORPHANS_MAX);
  if (orphans.length === 0) return true;
  try {
    await bucket.delete([...orphans]);
    segments.forgetOrphans(orphans);
    return true;
  } catch {
    log.warn("session_orphans_left", { count: orphans.length });
    return false;
  }
}

function sealMessage(session: SessionRow, segment: StoredSegment, nowMs: number): SealMessage {
  const { judgedBy } = segment;
  return {
    version: 1,
    kind: "segment",
    tenant_id: session.tenantId,
    user_id: session.userId,
    session_id: session.sessionId,
    source: session.source,
    object_key: segment.objectKey,
    sha256: segment.sha256,
    size_bytes: segment.sizeBytes,
    first_seq: segment.firstSeq,
    last_seq: segment.lastSeq,
    event_count: segment.eventCount,
    first_at_ms: segment.firstAtMs,
    last_at_ms: segment.lastAtMs,
    created_at_ms: segment.createdAtMs,
    gate_version: judgedBy.gateVersion,
    pii_version: judgedBy.piiVersion,
    policy_version: judgedBy.policyVersion,
    request_id: segmentArtifactId(segment.sha256),
    sent_at_ms: nowMs,
  };
}
