import { assert } from "../base/assert.ts";
import { DAY_MS } from "../base/durations.ts";
import type { Candidate, RankedHit, ScoreParts } from "./candidate.ts";
import { conversationBonuses } from "./conversation-bonus.ts";
import { containsPhrase, foldPhrase } from "./exact-match.ts";
import { pickDistinct } from "./pick-distinct.ts";
import { smoothScores } from "./smooth-scores.ts";
import { type TimeWindow, timeWindowOf } from "./time-window.ts";
import { convexFusion, keyOrder, rankFusion, sidesOf } from "./two-sides.ts";

export interface UnionOptions {
  /** Hits at most. */
  readonly k: number;
  readonly fusion: "convex" | "rrf";
  /** Share of the lexical side in the convex combination, 0..1. */
  readonly lexicalWeight: number;
  /** Weight of a chunk's own score against those of its neighbours in meaning, over 0; null leaves scores as they are. */
  readonly smoothing: number | null;
  /** Whether the place of events in their conversation counts. */
  readonly conversation: boolean;
  /** Factor of each tier; 1 where none is named, 0 leaves the tier out. */
  readonly tierWeights: Readonly<Record<string, number>>;
  /** Days after which the recency bonus has halved, or null for no bonus. */
  readonly halfLifeDays: number | null;
  /** What recency and words like "yesterday" are counted from. */
  readonly nowMs: number;
  /** The query as it was asked. */
  readonly query: string;
  /** 0: hits of one document or session stand as they score. Towards 1: each further one counts less. */
  readonly diversity: number;
}

/**
 * Share of words in the convex combination, chosen on sets that pull apart: Cranfield's abstracts like 0.3 to 0.4, LoCoMo's turns
 * of talk 0.4 to 0.5 (figures in docs/retrieval.md).
 */
export const LEXICAL_WEIGHT_DEFAULT = 0.4;
/** Own weight in smoothing; figures in docs/retrieval.md. */
export const SMOOTHING_DEFAULT = 0.4;
/** Largest bonus of a fresh chunk, in units of a score that is 1 for the best of both sides. */
const RECENCY_WEIGHT = 0.2;
/** Bonus of a chunk that holds the query word for word, in the same units. */
const EXACT_MATCH_WEIGHT = 0.1;
/** Bonus of a chunk from the time that the query speaks of, in the same units. */
const TIME_WINDOW_WEIGHT = 0.1;

/**
 * The tier union: one list of hits out of the candidates of all tiers and both sides. Pure; the order of the candidates is of no weight.
 *
 *     V = max(0, vector) / best vector        L = lexical / best lexical        (best: over all candidates of all tiers)
 *     fused = w · L + (1 − w) · V             convex; w is 0 or 1 when only one side has scores
 *     fused = (1/(60+rankV) + 1/(60+rankL)) / (2/61)                            rrf; a side that did not find it adds 0
 *     smoothed = fused, moved towards its neighbours in meaning                 see smooth-scores.ts; never down where the query stands in the text
 *     talk = what an event's speaker, next turn and session add                 see conversation-bonus.ts
 *     score = tierWeight · (smoothed + talk + 0.2 · 2^(−age/halfLife) + 0.1 · [query stands in the text] + 0.1 · [in the time asked for])
 *
 * Dividing by the best score keeps the margins that ranks throw away, needs no tail of bad candidates to be stable (as min-max and
 * z-scores do), and makes tiers comparable, since both sides are one scale over all of them. Then what repeats a better hit becomes part of it
 * (equal texts, overlapping chunks, an event and the summary that holds it), further hits of a document or session yield by `diversity`, and
 * the first k stay, ties by key. What scores nothing (no word of the query, no likeness, no bonus) is no hit.
 */
export function rankUnion<C extends Candidate>(all: readonly C[], options: UnionOptions): RankedHit<C>[] {
  const weightOf = (candidate: C): number => options.tierWeights[candidate.tier] ?? 1;
  const candidates = all.filter((candidate) => weightOf(candidate) > 0);
  const sides = sidesOf(candidates);
  const fused = options.fusion === "rrf" ? rankFusion(sides) : convexFusion(sides, options.lexicalWeight);
  // Ranks have no margins for neighbours to move: smoothing them costs more than it brings.
  const { smoothing } = options;
  const phrase = foldPhrase(options.query);
  const isExact = candidates.map(({ text }) => containsPhrase(text, phrase));
  const moved = smoothing === null || options.fusion === "rrf" ? fused : smoothScores(candidates, fused, smoothing);
  const smoothed = moved.map((score, index) => (isExact[index] === true ? Math.max(score, fused[index] ?? 0) : score));
  const talk = options.conversation ? conversationBonuses(candidates, smoothed, options.query) : [];
  const timeWindow = timeWindowOf(options.query, options.nowMs);
  const hits = candidates.map((candidate, index) => {
    const side = sides[index];
    assert(side !== undefined, "every candidate has its two sides");
    const parts: ScoreParts = {
      ...side,
      ...(talk[index] ?? { speaker: 0, nextTurn: 0, session: 0 }),
      fused: fused[index] ?? 0,
      smoothed: smoothed[index] ?? 0,
      tierWeight: weightOf(candidate),
      recency: recencyOf(candidate, options),
      exactMatch: isExact[index] === true ? EXACT_MATCH_WEIGHT : 0,
      timeWindow: isWithin(candidate, timeWindow) ? TIME_WINDOW_WEIGHT : 0,
    };
    return { candidate, score: parts.tierWeight * sumOf(parts), parts };
  });
  // The nearest of a small memory may be near to nothing: what no part speaks for is no answer.
  const found = hits.filter(({ parts }) => sumOf(parts) > 0);
  const sorted = found.toSorted((a, b) => b.score - a.score || keyOrder(a.candidate, b.candidate));
  return pickDistinct(sorted, options.k, options.diversity);
}

function sumOf(parts: ScoreParts): number {
  const talk = parts.speaker + parts.nextTurn + parts.session;
  return parts.smoothed + talk + parts.recency + parts.exactMatch + parts.timeWindow;
}

function recencyOf(candidate: Candidate, options: UnionOptions): number {
  if (options.halfLifeDays === null || candidate.occurredAtMs === null) return 0;
  const ageDays = Math.max(0, options.nowMs - candidate.occurredAtMs) / DAY_MS;
  return RECENCY_WEIGHT * 2 ** (-ageDays / options.halfLifeDays);
}

function isWithin({ occurredAtMs }: Candidate, timeWindow: TimeWindow | null): boolean {
  if (timeWindow === null || occurredAtMs === null) return false;
  return occurredAtMs >= timeWindow.fromMs && occurredAtMs < timeWindow.beforeMs;
}
