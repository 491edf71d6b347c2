/** A micro-batch on its way into the store: one WAL object and its pointers, by the same steps as a request for documents. */
import { sessionBatchTag } from "../../session/batch-tag.ts";
import type { BatchRow, SessionRow } from "../../session/log-rows.ts";
import { documentOfEvent, readStoredFrame, type StoredEvent } from "../../session/stored-event.ts";
import { contextOf, lastTurns, turnOf, type Turn } from "../../session/turn-context.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { holdBack } from "../quarantine/quarantine-object.ts";
import { storeRequest } from "../ingest/store-request.ts";
import type { Done, LogContext } from "./log-context.ts";

/**
 * Writes the oldest unsent micro-batch. Dying anywhere in it is harmless: the batch keeps its WAL id until it is marked as sent, the same rows make the
 * same object, and an object or message that is there twice has one effect.
 */
export async function flushMicroBatch(context: LogContext): Promise<Done> {
  const { store } = context;
  const session = store.session();
  const batch = store.nextBatch();
  if (session === undefined || batch === undefined) return true;
  // From here on the batch takes no more events.
  store.closeBatch(batch.walId);
  const prepared = prepare(session, batch, [...store.events(batch.firstSeq, batch.lastSeq)]);
  const code = await write(context, prepared);
  context.metrics.flushed(code === undefined ? "sent" : "failed");
  if (code !== undefined) {
    const facts = { tenant_id: session.tenantId, wal_id: batch.walId, request_id: batch.requestId };
    context.log.warn("session_flush_failed", { ...facts, trace_id: batch.traceId, code });
    return false;
  }
  // The session may have been erased meanwhile, and opened again.
  if (store.session()?.salt !== session.salt) return true;
  context.commit(() => {
    store.markBatchSent(batch.walId);
    for (const seq of prepared.heldSeqs) store.dropFrame(seq);
    store.updateSession({ queuedSeq: batch.lastSeq, turns: prepared.turns.filter((turn) => store.hasFrame(turn.seq)) });
  });
  return true;
}

interface Prepared {
  readonly head: WalHead;
  readonly documents: readonly WalDocument[];
  readonly textBytes: readonly number[];
  /** Events whose text lies in the quarantine object from now on, and nowhere else. */
  readonly heldSeqs: readonly number[];
  /** Context of the event that comes next. */
  readonly turns: readonly Turn[];
}

function prepare(session: SessionRow, batch: BatchRow, events: readonly StoredEvent[]): Prepared {
  const documents: WalDocument[] = [];
  let turns = session.turns;
  for (const [documentIndex, event] of events.entries()) {
    const context = contextOf(turns);
    const { tenantId, userId, sessionId, source } = session;
    documents.push(documentOfEvent(event, { tenantId, userId, sessionId, source, documentIndex, context }));
    if (event.frame === null || isHeld(event)) continue;
    turns = lastTurns([...turns, turnOf(readStoredFrame(event.frame))]);
  }
  return {
    head: headOf(session, batch),
    documents,
    textBytes: events.map((event) => (event.frame === null || isHeld(event) ? 0 : event.textBytes)),
    heldSeqs: events.filter(isHeld).map(({ seq }) => seq),
    turns,
  };
}

function isHeld({ judgement }: StoredEvent): boolean {
  return judgement.verdict === "quarantined";
}

function headOf(session: SessionRow, batch: BatchRow): WalHead {
  const { gateVersion, piiVersion, policyVersion, duplicates } = batch.judgedBy;
  return {
    version: 1,
    tenant_id: session.tenantId,
    wal_id: batch.walId,
    batch_tag: sessionBatchTag(session),
    received_at_ms: batch.openedAtMs,
    request_id: batch.requestId,
    ...(batch.traceId === null ? {} : { trace_id: batch.traceId }),
    gate_version: gateVersion,
    pii_version: piiVersion,
    policy_version: policyVersion,
    ...(duplicates === null ? {} : { duplicates }),
    origin: "session",
  };
}

/** The code of what went wrong, if anything did. */
async function write(context: LogContext, { head, documents, textBytes }: Prepared): Promise<string | undefined> {
  const held = await holdBack(context.bucket, { head, documents, replayed: true });
  if (!held.ok) return held.error.code;
  const stored = await storeRequest(context, { head, documents: held.value, textBytes, replayed: true });
  return stored.ok ? undefined : stored.error.code;
}
