/** Appending to the log: what each event of a request does to it. Synchronous: a request is appended whole or not at all. */
import type { Ulid } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { sha256HexSync } from "../base/hash.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { judgeAppend } from "./append-rule.ts";
import { MICRO_BATCH } from "./log-schedule.ts";
import type { LogStore } from "./log-store.ts";
import type { BatchRow, SessionRow } from "./log-rows.ts";
import type { AppendEvent, AppendInput, AppendOutcome, EventOutcome } from "./session-log-api.ts";
import { seqOfDocumentId, storedEventBytes, storedEventOf } from "./stored-event.ts";

/** Bytes that may wait for R2: with it down for minutes, a conversation goes on; an object has 128 MB of memory to send them from. */
export const BACKLOG_BYTES_MAX = 32 * 1024 * 1024;

export interface AppendContext {
  readonly store: LogStore;
  readonly newUlid: () => Ulid;
}

/** Appends the events of one request, each by its own seq; what is refused does not hold up the rest. */
export function appendEvents({ store, newUlid }: AppendContext, input: AppendInput): AppendOutcome {
  const session = store.session();
  if (session === undefined) return { ok: false, code: "session_unknown" };
  if (session.isClosed || session.leaseExpiresAtMs <= input.nowMs) return { ok: false, code: "session_closed" };
  if (store.unsentBytes() > BACKLOG_BYTES_MAX) return { ok: false, code: "session_backlogged" };
  const appending = new Appending(store, { session, input, newUlid });
  const events = input.events.map((event) => appending.append(event));
  return { ok: true, ...appending.end(), events };
}

interface Request {
  readonly session: SessionRow;
  readonly input: AppendInput;
  readonly newUlid: () => Ulid;
}

/** One request on its way into the log. */
class Appending {
  readonly #store: LogStore;
  readonly #request: Request;
  #lastSeq: number;
  #refusedCount: number;
  #addedBytes = 0;
  #batch: BatchRow | undefined;
  #token: string | null = null;

  constructor(store: LogStore, request: Request) {
    this.#store = store;
    this.#request = request;
    this.#lastSeq = request.session.durableSeq;
    this.#refusedCount = request.input.refusedCount;
  }

  append(event: AppendEvent): EventOutcome {
    const { seq } = event;
    // Salted: a hash by itself would let whoever has the log try out what a refused text was.
    const hash = sha256HexSync(`${this.#request.session.salt}${event.payloadHash}`);
    const state = { lastSeq: this.#lastSeq, hashOf: (at: number) => this.#store.hashOf(at) };
    const judgement = judgeAppend(state, seq, hash);
    if (judgement.action === "refuse") return this.#refuse(seq, judgement.code, judgement.expectedSeq);
    if (judgement.action === "repeat") return this.#repeat(seq);
    if (event.judged === null) return this.#refuse(seq, "seq_conflict", this.#lastSeq + 1);
    const document = this.#withKnownOriginal(event.judged.document);
    const stored = storedEventOf(seq, document, event.judged.textBytes);
    const sizeBytes = storedEventBytes(stored);
    if (sizeBytes > LIMITS.storedEventBytesMax) return this.#refuse(seq, "frame_too_large", seq);
    this.#store.insertEvent(stored, { hash, sizeBytes, nowMs: this.#request.input.nowMs });
    this.#addToBatch(seq, sizeBytes);
    this.#lastSeq = seq;
    this.#addedBytes += sizeBytes;
    return { seq, status: "appended", verdict: document.verdict, reasons: document.reasons };
  }

  /** Writes down what the request did to the session as a whole. */
  end(): { readonly ack: number; readonly token: string | null } {
    const { session, input } = this.#request;
    const hasAppended = this.#lastSeq > session.durableSeq;
    this.#store.updateSession({
      receivedSeq: Math.max(session.receivedSeq, input.receivedSeq, this.#lastSeq),
      refusedCount: session.refusedCount + this.#refusedCount,
      ...(hasAppended
        ? {
            durableSeq: this.#lastSeq,
            activeAtMs: input.nowMs,
            lastEventAtMs: input.nowMs,
            judgedBy: input.judgedBy,
            logBytes: session.logBytes + this.#addedBytes,
            logFirstAtMs: session.logFirstAtMs ?? input.nowMs,
          }
        : {}),
    });
    return { ack: this.#lastSeq, token: this.#token };
  }

  #refuse(seq: number, code: "seq_gap" | "seq_conflict" | "frame_too_large", expectedSeq: number): EventOutcome {
    this.#refusedCount += 1;
    return { seq, status: "refused", code, expectedSeq };
  }

  #repeat(seq: number): EventOutcome {
    const stored = this.#store.event(seq);
    if (this.#batch === undefined) this.#token = this.#store.batchOfSeq(seq)?.walId ?? this.#token;
    const { verdict, reasons } = stored?.judgement ?? { verdict: null, reasons: [] };
    return { seq, status: "repeated", verdict, reasons };
  }

  /** All new events of a request go into one batch, so that one token stands for them. */
  #addToBatch(seq: number, sizeBytes: number): void {
    this.#batch ??= this.#batchFor(seq);
    this.#token = this.#batch.walId;
    this.#store.growBatch(this.#batch.walId, seq, sizeBytes);
  }

  #batchFor(seq: number): BatchRow {
    const { input, newUlid } = this.#request;
    const open = this.#store.openBatch();
    if (open !== undefined) {
      const eventCount = open.lastSeq - open.firstSeq + 1 + input.events.length;
      // A batch is written from memory: with its alarm late, it does not grow without end.
      const hasRoom = eventCount <= MICRO_BATCH.eventsMax && open.sizeBytes < MICRO_BATCH.closeAtBytes;
      if (hasRoom && JSON.stringify(open.judgedBy) === JSON.stringify(input.judgedBy)) return open;
      this.#store.closeBatch(open.walId);
    }
    const { nowMs: openedAtMs, requestId, traceId, judgedBy } = input;
    const batch = { walId: newUlid(), firstSeq: seq, openedAtMs, requestId, traceId, judgedBy };
    this.#store.insertBatch(batch);
    return { ...batch, lastSeq: seq - 1, state: "open", sizeBytes: 0 };
  }

  /** A duplicate whose original is not in its WAL object, because it was refused or came before, is the first of its kind there: the store judges it. */
  #withKnownOriginal(document: WalDocument): WalDocument {
    if (document.verdict !== "duplicate") return document;
    const { duplicate_of: original, ...curation } = document.curation ?? {};
    const originalSeq = seqOfDocumentId(original?.document_id ?? "");
    const firstSeq = this.#batch?.firstSeq ?? Number.POSITIVE_INFINITY;
    if (originalSeq >= firstSeq && originalSeq <= this.#lastSeq) return document;
    return { ...document, verdict: "accepted", reasons: [], curation };
  }
}
