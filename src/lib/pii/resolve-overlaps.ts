import type { PiiSpan } from "../contract/pii.ts";

function byStart(a: PiiSpan, b: PiiSpan): number {
  return a.start - b.start || b.end - a.end;
}

/** The better claim first: the surer one, then the longer one, then the earlier one; names decide last, so that the order is total. */
function byClaim(a: PiiSpan, b: PiiSpan): number {
  return (
    b.score - a.score ||
    b.end - b.start - (a.end - a.start) ||
    a.start - b.start ||
    (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)
  );
}

/**
 * Spans without overlaps, sorted by start: of spans that share a character the best claim stays. Time O(n log n + characters covered).
 * @param textLength UTF-16 units of the searched text; bounds the occupancy map
 */
export function resolveOverlaps(spans: readonly PiiSpan[], textLength: number): readonly PiiSpan[] {
  const sorted = [...spans].sort(byStart);
  if (sorted.every((span, index) => index === 0 || (sorted[index - 1]?.end ?? 0) <= span.start)) return sorted;
  const taken = new Uint8Array(textLength);
  const kept: PiiSpan[] = [];
  for (const span of sorted.sort(byClaim)) {
    if (taken.subarray(span.start, span.end).includes(1)) continue;
    taken.fill(1, span.start, span.end);
    kept.push(span);
  }
  return kept.sort(byStart);
}
