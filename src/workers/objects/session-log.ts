import { DurableObject } from "cloudflare:workers";
import type { LogContext } from "../../lib/flows/sessions/log-context.ts";
import { readEmbedded } from "../../lib/flows/sessions/read-embedded.ts";
import { readLogState, runDueWork } from "../../lib/flows/sessions/run-due-work.ts";
import { appendEvents } from "../../lib/session/append-events.ts";
import { describeLog } from "../../lib/session/describe-log.ts";
import { eraseLoggedEvent } from "../../lib/session/erase-logged-event.ts";
import { retryAfterMs, wakeAtMs, type LogSettings } from "../../lib/session/log-schedule.ts";
import { LogStore } from "../../lib/session/log-store.ts";
import { openLog } from "../../lib/session/open-log.ts";
import { SegmentRows } from "../../lib/session/segment-rows.ts";
import type {
  AppendInput,
  AppendOutcome,
  OpenInput,
  SessionDescription,
  SessionLogApi,
} from "../../lib/session/session-log-api.ts";
import { contextOf, type Context } from "../context.ts";
import type { Env } from "../env.ts";
import { inTrace } from "../trace-scope.ts";
import { LiveSockets } from "./live-sockets.ts";

/** Bytes of one part of a multipart upload: R2 takes 5 MiB to 5 GiB, and this is what sealing holds in memory. */
const PART_BYTES = 8 * 1024 * 1024;
/** WAL objects that may be listed as not known to be applied before the ledger is asked: about a quarter of an hour of a steady stream. */
const PENDING_BATCHES_MAX = 1_000;

/**
 * The log of one session. Appends are one synchronous commit each, and the platform holds their replies until it is durable; everything that leaves the
 * object is done by its alarm, from what stands in the log, and may be repeated.
 */
export class SessionLog extends DurableObject<Env> implements SessionLogApi {
  readonly #state: DurableObjectState;
  readonly #store: LogStore;
  readonly #segments: SegmentRows;
  readonly #sockets: LiveSockets;
  readonly #context: () => Context;
  /** When the alarm is set to go off, null for not at all. */
  #alarmAtMs: number | null = null;
  /** Work that failed is not tried again before this time. */
  #notBeforeMs = 0;
  #failureCount = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#state = state;
    this.#store = new LogStore(state.storage.sql);
    this.#segments = new SegmentRows(state.storage.sql);
    this.#context = () => contextOf(env);
    this.#sockets = new LiveSockets(state, { context: this.#context, append: (input) => this.append(input) });
    void state.blockConcurrencyWhile(async () => {
      // An alarm that failed six times is dropped: whoever wakes the object next sets it again.
      this.#alarmAtMs = await state.storage.getAlarm();
      if (this.#store.session() !== undefined) await this.#arm();
    });
  }

  async open(input: OpenInput): Promise<{ ok: true; nextSeq: number; openedAtMs: number }> {
    const opened = this.#state.storage.transactionSync(() => openLog(this.#store, input, crypto.randomUUID()));
    await this.#arm();
    return { ok: true, ...opened };
  }

  async append(input: AppendInput): Promise<AppendOutcome> {
    const { newUlid } = this.#context();
    const outcome = this.#state.storage.transactionSync(() => appendEvents({ store: this.#store, newUlid }, input));
    if (outcome.ok) await this.#arm();
    return outcome;
  }

  async describe(): Promise<SessionDescription | null> {
    return describeLog(this.#store, this.#segments) ?? null;
  }

  async seal(): Promise<{ ok: true } | { ok: false; code: "session_unknown" }> {
    const session = this.#store.session();
    if (session === undefined) return { ok: false, code: "session_unknown" };
    if (session.durableSeq > session.sealedSeq) this.#store.updateSession({ sealAskedSeq: session.durableSeq });
    await this.#arm();
    return { ok: true };
  }

  async noteRegistered({ firstSeq }: { readonly firstSeq: number }): Promise<void> {
    if (this.#store.session() !== undefined) this.#segments.markRegistered(firstSeq);
  }

  async noteEmbedded({ seq }: { readonly seq: number }): Promise<void> {
    const session = this.#store.session();
    if (session === undefined || seq <= session.embeddedSeq || seq > session.queuedSeq) return;
    this.#store.updateSession({ embeddedSeq: seq });
    this.#store.deleteBatchesUpTo(seq);
  }

  async erase(): Promise<{ lastSeq: number }> {
    await this.#working;
    const lastSeq = this.#store.session()?.durableSeq ?? 0;
    this.#state.storage.transactionSync(() => this.#store.clear());
    this.#sockets.closeAll();
    this.#alarmAtMs = null;
    await this.#state.storage.deleteAlarm();
    return { lastSeq };
  }

  async eraseEvent({ seq }: { readonly seq: number }): Promise<{ erased: boolean }> {
    const erased = this.#state.storage.transactionSync(() => eraseLoggedEvent(this.#store, this.#segments, seq));
    await this.#arm();
    return { erased };
  }

  /** A WebSocket of the session, whose client the Worker has let in. */
  override async fetch(request: Request): Promise<Response> {
    return this.#sockets.accept(request);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#sockets.receive(socket, message);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.#sockets.forget(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.#sockets.forget(socket);
  }

  override async alarm(): Promise<void> {
    this.#alarmAtMs = null;
    this.#working = inTrace(undefined, () => this.#work());
    await this.#working;
    await this.#arm();
  }

  async #work(): Promise<void> {
    const context = this.#context();
    let isDone = false;
    try {
      isDone = await runDueWork(this.#logContext(context));
    } catch (thrown) {
      context.log.error("session_alarm_failed", { error: thrown instanceof Error ? thrown.name : typeof thrown });
    }
    this.#failureCount = isDone ? 0 : this.#failureCount + 1;
    this.#notBeforeMs = isDone ? 0 : context.clock() + retryAfterMs(this.#failureCount);
    await this.#forgetApplied(context);
    context.metrics.flushSoon((work) => this.#state.waitUntil(work));
  }

  /** A session that nobody asks about looks for itself which WAL objects are applied, now and then, so that their list does not grow for ever. */
  async #forgetApplied(context: Context): Promise<void> {
    if (this.#store.session() === undefined || this.#store.pendingBatchCount() < PENDING_BATCHES_MAX) return;
    const description = describeLog(this.#store, this.#segments);
    if (description === undefined) return;
    const embedded = await readEmbedded(context.sql, description);
    if (embedded.ok) await this.noteEmbedded({ seq: embedded.value });
  }

  /** Sees to it that the alarm goes off when something is due. Never now: an alarm set for the present inside an alarm can be lost. */
  async #arm(): Promise<void> {
    const { clock, config } = this.#context();
    const state = readLogState({ store: this.#store, segments: this.#segments });
    const dueMs = state === undefined ? null : wakeAtMs(state, config.sessions);
    if (dueMs === null) return;
    const atMs = Math.max(dueMs, this.#notBeforeMs, clock() + 1);
    if (this.#alarmAtMs !== null && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    await this.#state.storage.setAlarm(atMs);
  }

  #logContext(context: Context): LogContext {
    const { bucket, embedQueue, sealQueue, clock, log, metrics } = context;
    const settings: LogSettings = context.config.sessions;
    return {
      bucket,
      embedQueue,
      sealQueue,
      clock,
      log,
      settings,
      gate: context.sessionGate(),
      store: this.#store,
      segments: this.#segments,
      partBytes: PART_BYTES,
      commit: (work) => this.#state.storage.transactionSync(work),
      metrics: {
        flushed: (outcome) => metrics.count("session_flushes_total", { outcome }),
        sealed: (outcome) => metrics.count("session_seals_total", { outcome }),
      },
    };
  }
}
