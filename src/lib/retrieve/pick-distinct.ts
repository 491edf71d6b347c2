import type { Candidate, Collapsed, RankedHit } from "./candidate.ts";
import { collapseReason } from "./collapse.ts";

/** A hit before it is known what it stands for. */
export type ScoredHit<C extends Candidate> = Omit<RankedHit<C>, "collapsed">;

interface Pick<C extends Candidate> {
  readonly hit: ScoredHit<C>;
  readonly collapsed: Collapsed<C>[];
}

/**
 * The first k of hits in falling order of score. What repeats a better hit (`collapseReason`) becomes part of it. With `diversity` d > 0 the n-th
 * further hit of a document, or of a session for events, competes at score · (1 − d)^n. The score in the result stays the hit's own. O(hits · k).
 */
export function pickDistinct<C extends Candidate>(
  hits: readonly ScoredHit<C>[],
  k: number,
  diversity: number,
): RankedHit<C>[] {
  const picks: Pick<C>[] = [];
  const pickCounts = new Map<string, number>();
  const waiting = [...hits];
  while (picks.length < k && waiting.length > 0) {
    const [hit] = waiting.splice(diversity > 0 ? bestIndex(waiting, pickCounts, diversity) : 0, 1);
    if (hit === undefined) break;
    if (collapsedInto(picks, hit.candidate)) continue;
    const group = groupOf(hit.candidate);
    pickCounts.set(group, (pickCounts.get(group) ?? 0) + 1);
    picks.push({ hit, collapsed: [] });
  }
  return picks.map(({ hit, collapsed }) => ({ ...hit, collapsed }));
}

function collapsedInto<C extends Candidate>(picks: readonly Pick<C>[], candidate: C): boolean {
  for (const pick of picks) {
    const reason = collapseReason(candidate, pick.hit.candidate);
    if (reason === undefined) continue;
    pick.collapsed.push({ candidate, reason });
    return true;
  }
  return false;
}

/** What further hits are counted by: an event is a document of its own, and its session is what an answer should not be filled with. */
function groupOf(candidate: Candidate): string {
  return candidate.turn === null ? `document ${candidate.documentKey}` : `session ${candidate.turn.session}`;
}

// The first of the best, so that ties keep their order.
function bestIndex<C extends Candidate>(
  hits: readonly ScoredHit<C>[],
  pickCounts: ReadonlyMap<string, number>,
  diversity: number,
): number {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const [index, hit] of hits.entries()) {
    const score = hit.score * (1 - diversity) ** (pickCounts.get(groupOf(hit.candidate)) ?? 0);
    if (score > bestScore) {
      best = index;
      bestScore = score;
    }
  }
  return best;
}
