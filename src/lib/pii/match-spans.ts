import type { PiiSpan, PiiType } from "../contract/pii.ts";

/** A claim about one match: its type and score, and the part of the match that is the value (all of it when left out). */
export interface Claim {
  readonly type: PiiType;
  readonly score: number;
  readonly start?: number;
  readonly end?: number;
}

/**
 * All matches of a global expression. Unlike `matchAll` it makes no copy of the expression, which would cost more than the search of a short
 * text; so the expression must not be in use by the caller.
 */
export function matchesOf(text: string, pattern: RegExp): readonly RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    matches.push(match);
    if (match[0] === "") pattern.lastIndex += 1;
  }
  return matches;
}

/**
 * Spans of all matches of a global expression that `judge` takes. `judge` sees the match and its offset; undefined says no.
 * @param detector name put on each span
 */
export function matchSpans(
  { text, detector }: { readonly text: string; readonly detector: string },
  pattern: RegExp,
  judge: (match: RegExpExecArray, start: number) => Claim | undefined,
): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (const match of matchesOf(text, pattern)) {
    const claim = judge(match, match.index);
    if (claim === undefined) continue;
    const start = claim.start ?? match.index;
    const end = claim.end ?? match.index + match[0].length;
    spans.push({ type: claim.type, start, end, score: claim.score, detector });
  }
  return spans;
}
