import type { Candidate, RankedHit } from "./candidate.ts";

/** Share of a chunk that may be repeated by a better hit of the same document. */
const OVERLAP_SHARE_MAX = 0.5;

function overlapShare(hit: Candidate, chosen: Candidate): number {
  const shared = Math.min(hit.endOffset, chosen.endOffset) - Math.max(hit.startOffset, chosen.startOffset);
  return shared / Math.max(1, hit.endOffset - hit.startOffset);
}

/**
 * The first k of hits in falling order of score, leaving out texts that were chosen already and chunks that a better hit of their
 * document covers by more than half. With `diversity` d > 0 the n-th further hit of a document competes at score · (1 − d)^n.
 * The score in the result stays the hit's own. O(hits · k).
 */
export function pickDistinct<C extends Candidate>(
  hits: readonly RankedHit<C>[],
  k: number,
  diversity: number,
): RankedHit<C>[] {
  const picked: RankedHit<C>[] = [];
  const texts = new Set<string>();
  const pickedOfDocument = new Map<string, C[]>();
  const waiting = [...hits];
  while (picked.length < k && waiting.length > 0) {
    const [hit] = waiting.splice(diversity > 0 ? bestIndex(waiting, pickedOfDocument, diversity) : 0, 1);
    if (hit === undefined) break;
    const { candidate } = hit;
    const siblings = pickedOfDocument.get(candidate.documentKey) ?? [];
    if (texts.has(candidate.text)) continue;
    if (siblings.some((sibling) => overlapShare(candidate, sibling) > OVERLAP_SHARE_MAX)) continue;
    texts.add(candidate.text);
    pickedOfDocument.set(candidate.documentKey, [...siblings, candidate]);
    picked.push(hit);
  }
  return picked;
}

// The first of the best, so that ties keep their order.
function bestIndex<C extends Candidate>(
  hits: readonly RankedHit<C>[],
  pickedOfDocument: ReadonlyMap<string, readonly C[]>,
  diversity: number,
): number {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const [index, hit] of hits.entries()) {
    const siblingCount = pickedOfDocument.get(hit.candidate.documentKey)?.length ?? 0;
    const score = hit.score * (1 - diversity) ** siblingCount;
    if (score > bestScore) {
      best = index;
      bestScore = score;
    }
  }
  return best;
}
