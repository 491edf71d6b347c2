import type { LogStore } from "./log-store.ts";
import type { SegmentRows } from "./segment-rows.ts";

/**
 * Takes the text of one event out of the log, out of the context of the next event and out of a segment that is being written. The event keeps its seq
 * and its hash, so that it does not come back by being sent again. False where the log does not hold it.
 */
export function eraseLoggedEvent(store: LogStore, segments: SegmentRows, seq: number): boolean {
  const session = store.session();
  if (session === undefined || store.event(seq) === undefined) return false;
  store.dropFrame(seq, { verdict: "rejected", reasons: [{ code: "erased" }] });
  store.updateSession({ turns: session.turns.filter((turn) => turn.seq !== seq) });
  const plan = segments.planned();
  if (plan !== undefined && plan.firstSeq <= seq && seq <= plan.lastSeq) segments.dropPlan();
  return true;
}
