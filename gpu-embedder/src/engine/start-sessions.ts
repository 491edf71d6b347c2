import type { Precision } from "../graph/graph-context.ts";
import type { EmbeddingEngine, Lane } from "./embedding-engine.ts";
import { startInferenceSession } from "./inference-session.ts";

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

/** Starts every session of a plan and keeps each alive: a thread that ends is replaced. Rejects when one cannot load. */
export async function startSessions(
  engine: EmbeddingEngine,
  plans: readonly SessionPlan[],
  graph: { readonly graphPath: string; readonly precision: Precision },
): Promise<void> {
  const start = async (plan: SessionPlan): Promise<void> => {
    const session = await startInferenceSession({
      graphPath: graph.graphPath,
      precision: graph.precision,
      threadCount: plan.threadCount,
      niceness: plan.niceness,
    });
    engine.addSession(session, plan.lanes);
    void session.ended.then(() => (engine.isClosed ? undefined : start(plan)));
  };
  await Promise.all(plans.map(start));
}
