import type { Pooling } from "../graph/model-config.ts";
import type { InferenceWorkerData } from "./batch-messages.ts";
import type { EmbeddingEngine, Lane } from "./embedding-engine.ts";
import { startInferenceSession } from "./inference-session.ts";
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

/** A GPU runs one batch at a time whoever sends it: one session for everything and one that only interactive texts may use. */
export function planDeviceSessions(): readonly SessionPlan[] {
  return [
    { threadCount: 1, niceness: 0, lanes: ["interactive"] },
    { threadCount: 1, niceness: 0, lanes: ["interactive", "bulk"] },
  ];
}

/** What every session of a server runs, and where. */
export type SessionGraph = {
  readonly graphPath: string;
  readonly pooling: Pooling;
  readonly provider: Provider;
  readonly deviceId: number;
};

/** Starts every session of a plan and keeps each alive: a thread that ends is replaced. Rejects when one cannot load. */
export async function startSessions(
  engine: EmbeddingEngine,
  plans: readonly SessionPlan[],
  { graphPath, pooling, provider, deviceId }: SessionGraph,
): Promise<void> {
  const start = async ({ threadCount, niceness, lanes }: SessionPlan): Promise<void> => {
    const data: InferenceWorkerData = { graphPath, pooling, provider, deviceId, threadCount, niceness };
    const session = await startInferenceSession(data);
    engine.addSession(session, lanes);
    void session.ended.then(() => (engine.isClosed ? undefined : start({ threadCount, niceness, lanes })));
  };
  await Promise.all(plans.map(start));
}
