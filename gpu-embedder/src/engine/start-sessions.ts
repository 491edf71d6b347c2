import { setTimeout } from "node:timers/promises";
import { present } from "../base/assert.ts";
import type { Pooling } from "../graph/model-config.ts";
import type { EmbeddingEngine, Lane } from "./embedding-engine.ts";
import { startInferenceSession, type InferenceSession } from "./inference-session.ts";
import type { Provider } from "./provider.ts";

export type SessionPlan = { readonly threadCount: number; readonly niceness: number; readonly lanes: readonly Lane[] };

/**
 * How threads become sessions: one single-threaded session per thread for everything, which beats one session with many threads
 * on small batches, and one more that only interactive texts may use: the operating system shares the processor, so a query never
 * waits for a bulk batch to end. `bulkNiceness` makes the shared sessions yield the processor to it and to the thread that serves HTTP:
 * with 10 a query's p95 on a saturated, busy machine was 12 ms, with 5 47 ms, with 0 165 ms, at the same tokens a second.
 */
export function planSessions(threadCount: number, bulkNiceness: number): readonly SessionPlan[] {
  const shared: SessionPlan = { threadCount: 1, niceness: bulkNiceness, lanes: ["interactive", "bulk"] };
  return [
    { threadCount: 1, niceness: 0, lanes: ["interactive"] },
    ...Array.from({ length: threadCount }, () => shared),
  ];
}

/**
 * A second session's batch is copied and launched while the device computes the first one's: on an H100 17 to 32 % more tokens a second at 16,384 tokens
 * a batch (`bench/device-sweep.ts`), for 250 MiB of its memory.
 */
const DEVICE_SHARED_SESSIONS = 2;

/** A device's sessions for everything, and one that only interactive texts may use. */
export function planDeviceSessions(): readonly SessionPlan[] {
  return planSessions(DEVICE_SHARED_SESSIONS, 0);
}

/** What every session of a server runs, and where. */
export type SessionGraph = {
  readonly graphPath: string;
  readonly pooling: Pooling;
  readonly provider: Provider;
  readonly deviceId: number;
};

/** Milliseconds before a thread that ended is started again, doubled with each failure up to the longest. */
const RESTART_DELAY_MS = { first: 100, longest: 30_000 } as const;

type Starter = {
  readonly engine: EmbeddingEngine;
  readonly graph: SessionGraph;
  /** Told why a replacement did not start; it is tried again. */
  readonly onRestartFailed: (detail: string) => void;
};

async function startOne({ engine, graph }: Starter, plan: SessionPlan): Promise<InferenceSession> {
  const { threadCount, niceness, lanes } = plan;
  const session = await startInferenceSession({ ...graph, threadCount, niceness });
  if (engine.isClosed) await session.close();
  else engine.addSession(session, lanes);
  return session;
}

/** Replaces a session's thread whenever it ends, until the engine is closed. */
async function keepAlive(starter: Starter, plan: SessionPlan, first: InferenceSession): Promise<void> {
  let session: InferenceSession | undefined = first;
  let delayMs: number = RESTART_DELAY_MS.first;
  while (!starter.engine.isClosed) {
    await session?.ended;
    if (starter.engine.isClosed) return;
    if (session === undefined) await setTimeout(delayMs, undefined, { ref: false });
    try {
      session = await startOne(starter, plan);
      delayMs = RESTART_DELAY_MS.first;
    } catch (cause) {
      session = undefined;
      delayMs = Math.min(2 * delayMs, RESTART_DELAY_MS.longest);
      starter.onRestartFailed(cause instanceof Error ? cause.message : "the session did not start");
    }
  }
}

/**
 * Starts every session of a plan and keeps each alive: a thread that ends is replaced, again and again with growing pauses where it does not
 * start. Rejects when one cannot load at first.
 */
export async function startSessions(starter: Starter, plans: readonly SessionPlan[]): Promise<void> {
  const sessions = await Promise.all(plans.map((plan) => startOne(starter, plan)));
  plans.forEach((plan, index) => {
    void keepAlive(starter, plan, present(sessions[index], "each plan has its session"));
  });
}
