import type { Precision } from "../graph/build-graph.ts";
import type { EmbeddingEngine, Lane } from "./embedding-engine.ts";
import { startInferenceSession } from "./inference-session.ts";

export type SessionPlan = { readonly threadCount: number; readonly lanes: readonly Lane[] };

/**
 * How threads become sessions: one single-threaded session per thread for everything, which beats one session with many threads
 * on small batches, and one more that only interactive texts may use: the operating system shares the processor, so a query never
 * waits for a bulk batch to end.
 */
export function planSessions(threadCount: number): readonly SessionPlan[] {
  const shared: SessionPlan = { threadCount: 1, lanes: ["interactive", "bulk"] };
  return [{ threadCount: 1, lanes: ["interactive"] }, ...Array.from({ length: threadCount }, () => shared)];
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
    });
    engine.addSession(session, plan.lanes);
    void session.ended.then(() => (engine.isClosed ? undefined : start(plan)));
  };
  await Promise.all(plans.map(start));
}
