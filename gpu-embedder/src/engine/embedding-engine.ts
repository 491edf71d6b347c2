import { present } from "../base/assert.ts";
import { err, ok, type Result } from "../base/result.ts";
import { BatchQueue, type BatchBudget, type QueueEntry } from "./batch-queue.ts";
import { InferenceFailure, type InferenceSession, padBatch } from "./inference-session.ts";

/** `interactive` overtakes `bulk`. */
export type Lane = "interactive" | "bulk";

export type EngineLimits = {
  readonly budget: BatchBudget;
  /** Tokens that may wait in each lane before requests are refused. A request alone may exceed it. */
  readonly queueTokensMax: number;
  /** Requests that may wait or run at once. */
  readonly requestsMax: number;
  readonly padTokenId: number;
  /** Batches are padded to a multiple of this many tokens. */
  readonly sequenceMultiple: number;
};

export type EmbedRequest = {
  /** At least one text; each at least one token and no longer than the model takes. */
  readonly texts: readonly Int32Array[];
  readonly lane: Lane;
  readonly normalize: boolean;
  /** Aborted when the client has left: what has not been computed then never is. */
  readonly signal: AbortSignal;
};

export type EmbedOutcome = {
  /** One vector per text, in order. */
  readonly vectors: readonly Float32Array<ArrayBuffer>[];
  /** Milliseconds from admission to the start of the first batch. */
  readonly queueMs: number;
  /** Milliseconds of inference of the batches the request had a part in. */
  readonly inferenceMs: number;
};

export type EngineError =
  | { readonly code: "overloaded"; readonly retryAfterSeconds: number }
  | { readonly code: "client_gone" }
  | { readonly code: "shutting_down" }
  | { readonly code: "inference_failed" };

/** What the engine tells its observer, for metrics. */
export type EngineObserver = {
  batchStarted(textCount: number, tokenCount: number, paddedTokenCount: number): void;
  threadEnded(): void;
};

type Job = {
  readonly request: EmbedRequest;
  readonly vectors: Float32Array<ArrayBuffer>[];
  readonly admittedMs: number;
  remaining: number;
  startedMs: number | undefined;
  inferenceMs: number;
  settled: boolean;
  readonly settle: (outcome: Result<EmbedOutcome, EngineError>) => void;
};

type Place = { readonly job: Job; readonly index: number };

/** A session and the lanes it takes batches from, the first one first. */
type Station = { readonly session: InferenceSession; readonly lanes: readonly Lane[]; running: number };

/** Batches handed to a session ahead: the next one is on its thread when the current one ends. */
const BATCHES_AHEAD = 2;
/** Tokens a second of one session assumed for Retry-After before anything was measured. */
const RATE_TOKENS_PER_SECOND_START = 5_000;
const RETRY_AFTER_SECONDS_MAX = 60;
/** Weight of the newest batch in the running mean of the rate. */
const RATE_SMOOTHING = 0.1;

/**
 * Turns requests into batches and batches into vectors. No timer anywhere: a batch is formed when a session can take one, of what
 * waits then. Interactive texts have sessions of their own as well as the first place in the others.
 */
export class EmbeddingEngine {
  readonly #limits: EngineLimits;
  readonly #observer: EngineObserver;
  readonly #nowMs: () => number;
  readonly #queues: Readonly<Record<Lane, BatchQueue<Place>>> = {
    interactive: new BatchQueue(),
    bulk: new BatchQueue(),
  };
  readonly #jobs = new Set<Job>();
  #stations: Station[] = [];
  #rate = RATE_TOKENS_PER_SECOND_START;
  #draining = false;
  #closed = false;
  #drained: (() => void) | undefined;

  constructor(limits: EngineLimits, observer: EngineObserver, nowMs: () => number) {
    this.#limits = limits;
    this.#observer = observer;
    this.#nowMs = nowMs;
  }

  /** Texts waiting in both lanes. */
  get queuedTexts(): number {
    return this.#queues.interactive.textCount + this.#queues.bulk.textCount;
  }

  /** Requests waiting or running. */
  get activeRequests(): number {
    return this.#jobs.size;
  }

  /** Sessions that are alive. */
  get sessionCount(): number {
    return this.#stations.length;
  }

  /** Gives the engine a session to run batches on; it is forgotten when its thread ends. */
  addSession(session: InferenceSession, lanes: readonly Lane[]): void {
    const station: Station = { session, lanes, running: 0 };
    this.#stations.push(station);
    void session.ended.then(() => {
      this.#stations = this.#stations.filter((other) => other !== station);
      this.#observer.threadEnded();
    });
    this.#dispatch();
  }

  /** Embeds the texts of one request. Refuses at once when the queue is full. Never rejects. */
  embed(request: EmbedRequest): Promise<Result<EmbedOutcome, EngineError>> {
    if (this.#draining) return Promise.resolve(err({ code: "shutting_down" }));
    if (request.signal.aborted) return Promise.resolve(err({ code: "client_gone" }));
    const tokenCount = request.texts.reduce((sum, text) => sum + text.length, 0);
    const queue = this.#queues[request.lane];
    const full = queue.tokenCount > 0 && queue.tokenCount + tokenCount > this.#limits.queueTokensMax;
    if (full || this.#jobs.size >= this.#limits.requestsMax) {
      return Promise.resolve(err({ code: "overloaded", retryAfterSeconds: this.#retryAfterSeconds() }));
    }
    return new Promise((resolve) => this.#admit(request, resolve));
  }

  /** Takes no more requests and resolves when those admitted are answered. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#jobs.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Whether sessions that end are meant to. */
  get isClosed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#stations.map((station) => station.session.close()));
  }

  #retryAfterSeconds(): number {
    const waiting = this.#queues.interactive.tokenCount + this.#queues.bulk.tokenCount;
    return Math.min(
      RETRY_AFTER_SECONDS_MAX,
      Math.max(1, Math.ceil(waiting / (this.#rate * Math.max(1, this.#stations.length)))),
    );
  }

  #admit(request: EmbedRequest, resolve: (outcome: Result<EmbedOutcome, EngineError>) => void): void {
    const onAbort = (): void => this.#finish(job, err({ code: "client_gone" }));
    const job: Job = {
      request,
      vectors: [],
      admittedMs: this.#nowMs(),
      remaining: request.texts.length,
      startedMs: undefined,
      inferenceMs: 0,
      settled: false,
      settle: (outcome) => {
        request.signal.removeEventListener("abort", onAbort);
        resolve(outcome);
      },
    };
    request.signal.addEventListener("abort", onAbort, { once: true });
    this.#jobs.add(job);
    this.#queues[request.lane].add(
      request.texts.map((text, index) => ({ tokenCount: text.length, owner: job, value: { job, index } })),
    );
    this.#dispatch();
  }

  #finish(job: Job, outcome: Result<EmbedOutcome, EngineError>): void {
    if (job.settled) return;
    job.settled = true;
    this.#queues[job.request.lane].remove(job);
    this.#jobs.delete(job);
    job.settle(outcome);
    if (this.#jobs.size === 0) this.#drained?.();
  }

  /** Hands batches to every session that has room, least loaded first. */
  #dispatch(): void {
    for (let ahead = 0; ahead < BATCHES_AHEAD; ahead++) {
      for (const station of this.#stations) {
        if (station.running > ahead) continue;
        const batch = this.#nextBatch(station.lanes);
        if (batch.length > 0) void this.#run(station, batch);
      }
    }
  }

  #nextBatch(lanes: readonly Lane[]): readonly QueueEntry<Place>[] {
    for (const lane of lanes) {
      const batch = this.#queues[lane].next(this.#limits.budget);
      if (batch.length > 0) return batch;
    }
    return [];
  }

  async #run(station: Station, entries: readonly QueueEntry<Place>[]): Promise<void> {
    const texts = entries.map(({ value }) =>
      present(value.job.request.texts[value.index], "an entry points at its text"),
    );
    const tokenCount = entries.reduce((sum, entry) => sum + entry.tokenCount, 0);
    const withPooled = entries.some(({ value }) => !value.job.request.normalize);
    const { padTokenId, sequenceMultiple } = this.#limits;
    const batch = padBatch(texts, { padTokenId, sequenceMultiple, withPooled });
    const startedMs = this.#nowMs();
    for (const { value } of entries) value.job.startedMs ??= startedMs;
    this.#observer.batchStarted(texts.length, tokenCount, batch.batchSize * batch.sequenceLength);
    station.running += 1;
    try {
      const result = await station.session.run(batch);
      this.#rate += RATE_SMOOTHING * ((tokenCount / Math.max(result.inferenceMs, 0.1)) * 1000 - this.#rate);
      const dimensions = result.embeddings.length / texts.length;
      entries.forEach(({ value: { job, index } }, row) => {
        const source = job.request.normalize ? result.embeddings : result.pooled;
        this.#deliver(job, index, source.slice(row * dimensions, (row + 1) * dimensions));
      });
      for (const job of new Set(entries.map(({ value }) => value.job))) job.inferenceMs += result.inferenceMs;
      for (const job of new Set(entries.map(({ value }) => value.job))) this.#complete(job);
    } catch (cause) {
      if (!(cause instanceof InferenceFailure)) throw cause;
      for (const job of new Set(entries.map(({ value }) => value.job)))
        this.#finish(job, err({ code: "inference_failed" }));
    } finally {
      station.running -= 1;
      this.#dispatch();
    }
  }

  #deliver(job: Job, index: number, vector: Float32Array<ArrayBuffer>): void {
    job.vectors[index] = vector;
    job.remaining -= 1;
  }

  #complete(job: Job): void {
    if (job.remaining > 0) return;
    const queueMs = (job.startedMs ?? job.admittedMs) - job.admittedMs;
    this.#finish(job, ok({ vectors: job.vectors, queueMs, inferenceMs: job.inferenceMs }));
  }
}
