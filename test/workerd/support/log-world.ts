import { runInDurableObject } from "cloudflare:test";
import type { Queue, R2MultipartUpload } from "@cloudflare/workers-types";
import type { EmbedMessage, SealMessage } from "../../../src/lib/contract/queue-message.ts";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { ulidFactory } from "../../../src/lib/base/ids.ts";
import { utf8Bytes } from "../../../src/lib/base/bytes.ts";
import type { LogContext } from "../../../src/lib/flows/sessions/log-context.ts";
import { runDueWork } from "../../../src/lib/flows/sessions/run-due-work.ts";
import { appendEvents } from "../../../src/lib/session/append-events.ts";
import { describeLog } from "../../../src/lib/session/describe-log.ts";
import { eraseLoggedEvent } from "../../../src/lib/session/erase-logged-event.ts";
import { LogStore } from "../../../src/lib/session/log-store.ts";
import { openLog } from "../../../src/lib/session/open-log.ts";
import { SegmentReader } from "../../../src/lib/session/segment-reader.ts";
import { SegmentRows } from "../../../src/lib/session/segment-rows.ts";
import { segmentPrefix } from "../../../src/lib/session/session-keys.ts";
import type { AppendEvent, AppendOutcome, SessionDescription } from "../../../src/lib/session/session-log-api.ts";
import { eventMetadata, payloadHash, readStoredFrame } from "../../../src/lib/session/stored-event.ts";
import { decodeWal } from "../../../src/lib/wal/wal-codec.ts";
import { WAL_LIMITS } from "../../../src/lib/wal/wal-limits.ts";
import { CrashPoint } from "../../flow/support/crashing.ts";
import { frame, stubOf } from "./session.ts";
import { suiteEnv } from "./worker.ts";

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };
const JUDGED_BY = { gateVersion: "g", piiVersion: "p", policyVersion: 0, duplicates: null };
/** R2 takes no smaller part but the last. */
const PART_BYTES = 5 * 1024 * 1024;

let worlds = 0;

/** A queue that is a list. */
function listQueue<T>(messages: T[], crash: CrashPoint): Pick<Queue<T>, "send" | "sendBatch"> {
  const sent = { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  return crash.wrap({
    send: async (message: T) => {
      messages.push(message);
      return sent;
    },
    sendBatch: async (batch: Iterable<{ readonly body: T }>) => {
      messages.push(...Array.from(batch, ({ body }) => body));
      return sent;
    },
  });
}

/**
 * The log of one session in the SQLite of a real Durable Object, driven step by step: its clock is ours, its gate and queues are lists, its bucket is the
 * real one. Every call meets a log read anew from storage, as after an eviction.
 */
export class LogWorld {
  readonly session = {
    tenantId: `log-${(worlds += 1)}-${crypto.randomUUID().slice(0, 8)}`,
    userId: "ann",
    sessionId: "s",
  };
  readonly embedMessages: EmbedMessage[] = [];
  readonly sealMessages: SealMessage[] = [];
  readonly released: string[] = [];
  /** What the gate answers; undefined for a lease from now on. */
  renewal: Awaited<ReturnType<LogContext["gate"]["renew"]>> | Error | undefined;
  nowMs = Date.UTC(2026, 0, 1);
  settings = { flushMs: 1_000, rotateBytes: 64 * 1024 * 1024, rotateMs: 600_000, idleMs: 300_000, leaseMs: 900_000 };

  #on<T>(work: (state: DurableObjectState) => T | Promise<T>): Promise<T> {
    return runInDurableObject(stubOf(this.session.tenantId, { ...this.session, token: "" }), (_, state) => work(state));
  }

  open(leaseMs = 900_000): Promise<{ nextSeq: number }> {
    const input = { ...this.session, source: "session", leaseExpiresAtMs: this.nowMs + leaseMs, nowMs: this.nowMs };
    return this.#on((state) => openLog(new LogStore(state.storage.sql), input, crypto.randomUUID()));
  }

  append(events: readonly AppendEvent[]): Promise<AppendOutcome> {
    const newUlid = ulidFactory(() => this.nowMs, Math.random);
    const request = { requestId: "r", traceId: null, refusedCount: 0, receivedSeq: 0 };
    const input = { ...request, nowMs: this.nowMs, events, judgedBy: JUDGED_BY };
    return this.#on((state) => appendEvents({ store: new LogStore(state.storage.sql), newUlid }, input));
  }

  describe(): Promise<SessionDescription | undefined> {
    return this.#on(({ storage: { sql } }) => describeLog(new LogStore(sql), new SegmentRows(sql)));
  }

  askForSeal(): Promise<void> {
    return this.#on(({ storage: { sql } }) => {
      const store = new LogStore(sql);
      store.updateSession({ sealAskedSeq: store.session()?.durableSeq ?? 0 });
    });
  }

  eraseEvent(seq: number): Promise<boolean> {
    return this.#on(({ storage: { sql } }) => eraseLoggedEvent(new LogStore(sql), new SegmentRows(sql), seq));
  }

  register(firstSeq: number): Promise<void> {
    return this.#on(({ storage: { sql } }) => new SegmentRows(sql).markRegistered(firstSeq));
  }

  /** What the alarm does, with every call of bucket, queues and gate going through the crash point. */
  work(crash = new CrashPoint(undefined), duringUpload: () => Promise<void> = async () => undefined): Promise<boolean> {
    return this.#on(({ storage }) => {
      const bucket = crash.wrap(suiteEnv().BUCKET);
      const context: LogContext = {
        bucket: Object.assign(Object.create(bucket), {
          put: (...put: Parameters<typeof bucket.put>) => bucket.put(...put),
          createMultipartUpload: async (...args: Parameters<typeof bucket.createMultipartUpload>) => {
            const upload: R2MultipartUpload = await bucket.createMultipartUpload(...args);
            await duringUpload();
            return crash.wrap(upload);
          },
        }),
        embedQueue: listQueue(this.embedMessages, crash),
        sealQueue: listQueue(this.sealMessages, crash),
        gate: crash.wrap({
          renew: async () => {
            if (this.renewal instanceof Error) throw this.renewal;
            return this.renewal ?? { expiresAtMs: this.nowMs + this.settings.leaseMs };
          },
          release: async ({ sessionKey }: { sessionKey: string }) => void this.released.push(sessionKey),
        }),
        store: new LogStore(storage.sql),
        segments: new SegmentRows(storage.sql),
        settings: this.settings,
        partBytes: PART_BYTES,
        clock: () => this.nowMs,
        commit: (work) => storage.transactionSync(work),
        log: QUIET,
        metrics: { flushed: () => undefined, sealed: () => undefined },
      };
      return runDueWork(context);
    });
  }

  /** Every WAL object of the session, decoded, oldest first. */
  async walObjects() {
    const { objects } = await suiteEnv().BUCKET.list({ prefix: `wal/${this.session.tenantId}/` });
    return Promise.all(
      objects.map(async ({ key }) => {
        const record = decodeWal(
          new Uint8Array((await (await suiteEnv().BUCKET.get(key))?.arrayBuffer()) ?? []),
          WAL_LIMITS,
        );
        if (!record.ok) throw new Error(record.error.code);
        return record.value;
      }),
    );
  }

  /** The seqs of each segment in R2, as a reader finds them. */
  async segmentSeqs(): Promise<number[][]> {
    const { objects } = await suiteEnv().BUCKET.list({ prefix: segmentPrefix(this.session) });
    return Promise.all(
      objects.map(async ({ key }) => {
        const reader = new SegmentReader({ headBytesMax: 4_096, recordBytesMax: 2_000_000 });
        const bytes = new Uint8Array((await (await suiteEnv().BUCKET.get(key))?.arrayBuffer()) ?? []);
        const payloads = reader.push(bytes);
        if (!payloads.ok) throw new Error(payloads.error);
        if (reader.end().state !== "sealed") throw new Error("torn");
        return payloads.value.map((payload) => readStoredFrame(payload).seq);
      }),
    );
  }
}

/** A judged event, as the edge hands it to the log. */
export function event(seq: number, more: Partial<WalDocument> & { readonly said?: string } = {}): AppendEvent {
  const { said, ...own } = more;
  const sent = frame(seq, said === undefined ? {} : { text: said });
  const document: WalDocument = {
    document_index: 0,
    document_id: `s/${seq}`,
    user_id: "ann",
    tier: "event",
    source: "session",
    title: "",
    metadata: eventMetadata("s", sent),
    occurred_at_ms: sent.at_ms,
    text: sent.text,
    verdict: "accepted",
    reasons: [],
    ...own,
  };
  return { seq, payloadHash: payloadHash(sent), judged: { document, textBytes: utf8Bytes(sent.text).length } };
}
