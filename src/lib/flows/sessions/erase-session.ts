/**
 * Erases a session: its log first, so that nothing comes after; then what was made of it. The marker remembers how far it is, and goes last: whatever
 * interrupts it, asking again completes it.
 */
import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { EraseSessionReply } from "../../contract/session-erasure.ts";
import { markSessionErased } from "../../db/queries/erase-session.ts";
import type { Sql } from "../../db/sql.ts";
import type { SessionGateApi } from "../../session/session-gate-api.ts";
import { sessionMarkerKey } from "../../session/session-keys.ts";
import { sessionKey, type SessionIdentity, type SessionLogApi } from "../../session/session-log-api.ts";
import { eventDocumentId } from "../../session/stored-event.ts";
import { eraseDocuments } from "../deletions/erase-documents.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { eraseHeldEvents, eraseSegments, eraseSummaries } from "./erase-session-objects.ts";
import type { ErasureStep, SessionErasure } from "./session-erasure.ts";
import { noteUnreachable } from "./note-unreachable.ts";
import { readMarker, writeMarker, type SessionMarker } from "./session-marker.ts";

export interface EraseSessionContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly log: Pick<Log, "error">;
  readonly newUlid: () => string;
  readonly sessionGate: () => Pick<SessionGateApi, "release">;
  readonly sessionLog: (session: SessionIdentity) => Pick<SessionLogApi, "describe" | "erase">;
}

/** Documents of one transaction. */
const DOCUMENTS_PER_TRANSACTION = 500;
/** Transactions of one request: a few seconds of Postgres, 20,000 events. */
const TRANSACTIONS_MAX = 40;

/** Errors: `session_unknown` where there is nothing to erase; else asking again goes on where this stopped. */
export async function eraseSession(
  context: EraseSessionContext,
  session: SessionIdentity,
): Promise<Result<EraseSessionReply, Problem>> {
  const marker = await readMarker(context.bucket, session);
  if (!marker.ok) return marker;
  if (marker.value === undefined) return err({ code: "session_unknown" });
  const begun = await eraseLog(context, session, marker.value);
  if (!begun.ok) return begun;
  const { erasing } = begun.value;
  const erasure: SessionErasure = {
    session,
    deletionId: context.newUlid(),
    tally: { documents: 0, chunks: 0, segments: 0, heldTexts: 0 },
  };
  const noted = await context.sql.transaction(session, [markSessionErased(session, context.clock())]);
  if (!noted.ok) return err(problemOfSql(noted.error));
  const events = await eraseEvents(context, erasure, begun.value);
  if (!events.ok) return events;
  const nextSeq = events.value;
  const rest = nextSeq > erasing.last_seq ? await eraseRest(context, erasure) : ok({ done: false });
  if (!rest.ok) return rest;
  if (rest.value.done) {
    const removed = await removeMarker(context, session, begun.value);
    if (!removed.ok) return removed;
  }
  const { tally } = erasure;
  return ok({
    session_id: session.sessionId,
    user_id: session.userId,
    done: rest.value.done,
    event_count: nextSeq - erasing.next_seq,
    document_count: tally.documents,
    deleted_chunk_count: tally.chunks,
    segment_count: tally.segments,
    held_text_count: tally.heldTexts,
  });
}

type ErasingMarker = SessionMarker & { readonly erasing: NonNullable<SessionMarker["erasing"]> };

/**
 * Empties the log, which knows its last seq, and writes that down. The marker says so before, by what the log describes: after an interruption in
 * between it is the only one that knows.
 */
async function eraseLog(
  context: EraseSessionContext,
  session: SessionIdentity,
  marker: SessionMarker,
): Promise<Result<ErasingMarker, Problem>> {
  try {
    const log = context.sessionLog(session);
    const { next_seq, last_seq } = marker.erasing ?? { next_seq: 1, last_seq: 0 };
    const described = await log.describe();
    // A request that comes in between adds so many at most.
    const expectedSeq = described === null ? 0 : described.seqs.durable + LIMITS.requestFramesMax;
    const before = { ...marker, erasing: { next_seq, last_seq: Math.max(last_seq, expectedSeq) } };
    const written = described === null ? ok(undefined) : await writeMarker(context.bucket, before);
    if (!written.ok) return written;
    const erased = await log.erase();
    await context.sessionGate().release({ sessionKey: sessionKey(session) });
    const exact = { ...marker, erasing: { next_seq, last_seq: Math.max(last_seq, erased.lastSeq) } };
    // An erasure that goes on over a log that was opened anew begins again with its events.
    const after = erased.lastSeq === 0 ? exact : { ...exact, erasing: { ...exact.erasing, next_seq: 1 } };
    const rewritten = await writeMarker(context.bucket, after);
    return rewritten.ok ? ok(after) : rewritten;
  } catch (thrown) {
    noteUnreachable(context.log, "log", thrown);
    return err({ code: "sessions_unavailable" });
  }
}

/** Leaves tombstones for the events, also for those that are still on their way. Returns the seq from which on some are left. */
async function eraseEvents(
  context: EraseSessionContext,
  { session, deletionId, tally }: SessionErasure,
  marker: ErasingMarker,
): Promise<Result<number, Problem>> {
  const { last_seq: lastSeq } = marker.erasing;
  let nextSeq = marker.erasing.next_seq;
  for (let count = 0; count < TRANSACTIONS_MAX && nextSeq <= lastSeq; count += 1) {
    const end = Math.min(nextSeq + DOCUMENTS_PER_TRANSACTION, lastSeq + 1);
    const documents = Array.from({ length: end - nextSeq }, (_, index) => ({
      documentId: eventDocumentId(session.sessionId, nextSeq + index),
      tier: "event" as const,
    }));
    const erased = await eraseDocuments(context, { ...session, documents, deletionId });
    if (!erased.ok) return erased;
    tally.documents += erased.value.existedCount;
    tally.chunks += erased.value.chunkCount;
    nextSeq = end;
  }
  const noted = await writeMarker(context.bucket, { ...marker, erasing: { next_seq: nextSeq, last_seq: lastSeq } });
  return noted.ok ? ok(nextSeq) : noted;
}

async function eraseRest(context: EraseSessionContext, erasure: SessionErasure): Promise<ErasureStep> {
  for (const step of [eraseHeldEvents, eraseSegments, eraseSummaries]) {
    const result = await step(context, erasure);
    if (!result.ok || !result.value.done) return result;
  }
  return ok({ done: true });
}

/** A session that was opened again meanwhile keeps its marker. */
async function removeMarker(
  { bucket, sessionLog }: EraseSessionContext,
  session: SessionIdentity,
  marker: ErasingMarker,
): Promise<Result<void, Problem>> {
  try {
    if ((await sessionLog(session).describe()) !== null)
      return await writeMarker(bucket, { ...marker, erasing: undefined });
    await bucket.delete(sessionMarkerKey(session));
    return ok(undefined);
  } catch {
    return err(storageUnavailable());
  }
}
