import { assert } from "../base/assert.ts";
import type { Candidate, RankedHit, ScoreParts } from "./candidate.ts";
import { containsPhrase, foldPhrase } from "./exact-match.ts";
import { smoothScores } from "./smooth-scores.ts";
import { pickDistinct } from "./pick-distinct.ts";

export interface UnionOptions {
  /** Hits at most. */
  readonly k: number;
  readonly fusion: "convex" | "rrf";
  /** Share of the lexical side in the convex combination, 0..1. */
  readonly lexicalWeight: number;
  /** Weight of a chunk's own score against those of its neighbours in meaning, over 0; null leaves scores as they are. */
  readonly smoothing: number | null;
  /** Factor of each tier; 1 where none is named. */
  readonly tierWeights: Readonly<Record<string, number>>;
  /** Days after which the recency bonus has halved, or null for no bonus. */
  readonly halfLifeDays: number | null;
  readonly nowMs: number;
  /** The query as it was asked: chunks that hold it word for word get a bonus. */
  readonly query: string;
  /** 0: hits of one document stand as they score. Towards 1: each further hit of a document counts less. */
  readonly diversity: number;
}

/**
 * Share of words in the convex combination, chosen on two sets that pull apart: Cranfield's abstracts like 0.3 to 0.4, LoCoMo's turns
 * of talk 0.4 to 0.6 (figures in docs/retrieval.md).
 */
export const LEXICAL_WEIGHT_DEFAULT = 0.4;
/** Own weight in smoothing; figures in docs/retrieval.md. */
export const SMOOTHING_DEFAULT = 0.4;
/** Rank offset of reciprocal-rank fusion (Cormack, Clarke and Büttcher 2009). */
const RRF_OFFSET = 60;
/** Largest bonus of a fresh chunk, in units of a score that is 1 for the best of both sides. */
const RECENCY_WEIGHT = 0.2;
/** Bonus of a chunk that holds the query word for word, in the same units. */
const EXACT_MATCH_WEIGHT = 0.1;
const DAY_MS = 86_400_000;

function keyOrder(a: Candidate, b: Candidate): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

// Position of each candidate among those that a side scored above 0, best first.
function ranksOf(
  candidates: readonly Candidate[],
  scoreOf: (candidate: Candidate) => number | null,
): Map<string, number> {
  const found = candidates.filter((candidate) => (scoreOf(candidate) ?? 0) > 0);
  const sorted = found.toSorted((a, b) => (scoreOf(b) ?? 0) - (scoreOf(a) ?? 0) || keyOrder(a, b));
  return new Map(sorted.map((candidate, index) => [candidate.key, index + 1]));
}

function bestOf(candidates: readonly Candidate[], scoreOf: (candidate: Candidate) => number | null): number {
  return candidates.reduce((best, candidate) => Math.max(best, scoreOf(candidate) ?? 0), 0);
}

function normalised(score: number | null, best: number): number {
  return best > 0 ? Math.max(0, score ?? 0) / best : 0;
}

const vectorScoreOf = (candidate: Candidate): number | null => candidate.vectorScore;
const lexicalScoreOf = (candidate: Candidate): number | null => candidate.lexicalScore;

/**
 * The tier union: one list of hits out of the candidates of all tiers and both sides. Pure; the order of the candidates is of no weight.
 *
 *     V = max(0, vector) / best vector        L = lexical / best lexical        (best: over all candidates of all tiers)
 *     fused = w · L + (1 − w) · V             convex; w is 0 or 1 when only one side has scores
 *     fused = (1/(60+rankV) + 1/(60+rankL)) / (2/61)                            rrf; a side that did not find it adds 0
 *     smoothed = fused, moved towards its neighbours in meaning                 see smooth-scores.ts
 *     score = tierWeight · (smoothed + 0.2 · 2^(−age/halfLife) + 0.1 · [query stands in the text])
 *
 * Dividing by the best score keeps the margins that ranks throw away, needs no tail of bad candidates to be stable (as min-max and
 * z-scores do), and makes tiers comparable, since both sides are one scale over all of them. Then equal texts and overlapping chunks
 * collapse into the best of them, further hits of a document yield by `diversity`, and the first k stay, ties by key.
 */
export function rankUnion<C extends Candidate>(candidates: readonly C[], options: UnionOptions): RankedHit<C>[] {
  const bestVector = bestOf(candidates, vectorScoreOf);
  const bestLexical = bestOf(candidates, lexicalScoreOf);
  const vectorRanks = ranksOf(candidates, vectorScoreOf);
  const lexicalRanks = ranksOf(candidates, lexicalScoreOf);
  const weight = bestVector === 0 ? 1 : bestLexical === 0 ? 0 : options.lexicalWeight;
  const phrase = foldPhrase(options.query);
  const sides = candidates.map((candidate) => ({
    vectorNormalised: normalised(candidate.vectorScore, bestVector),
    lexicalNormalised: normalised(candidate.lexicalScore, bestLexical),
    vectorRank: vectorRanks.get(candidate.key) ?? null,
    lexicalRank: lexicalRanks.get(candidate.key) ?? null,
  }));
  const fused = sides.map((side) => (options.fusion === "rrf" ? reciprocalRanks(side) : convex(side, weight)));
  // Ranks have no margins for neighbours to move: smoothing them costs more than it brings.
  const { smoothing } = options;
  const smoothed = smoothing === null || options.fusion === "rrf" ? fused : smoothScores(candidates, fused, smoothing);
  const hits = candidates.map((candidate, index): RankedHit<C> => {
    const side = sides[index];
    assert(side !== undefined, "every candidate has its two sides");
    const parts: ScoreParts = {
      ...side,
      fused: fused[index] ?? 0,
      smoothed: smoothed[index] ?? 0,
      tierWeight: options.tierWeights[candidate.tier] ?? 1,
      recency: recencyOf(candidate, options),
      exactMatch: containsPhrase(candidate.text, phrase) ? EXACT_MATCH_WEIGHT : 0,
    };
    return { candidate, score: parts.tierWeight * (parts.smoothed + parts.recency + parts.exactMatch), parts };
  });
  const sorted = hits.toSorted((a, b) => b.score - a.score || keyOrder(a.candidate, b.candidate));
  return pickDistinct(sorted, options.k, options.diversity);
}

type Sides = Pick<ScoreParts, "vectorNormalised" | "lexicalNormalised" | "vectorRank" | "lexicalRank">;

function convex(parts: Sides, lexicalWeight: number): number {
  return lexicalWeight * parts.lexicalNormalised + (1 - lexicalWeight) * parts.vectorNormalised;
}

function reciprocalRanks(parts: Sides): number {
  const share = (rank: number | null): number => (rank === null ? 0 : 1 / (RRF_OFFSET + rank));
  return ((share(parts.vectorRank) + share(parts.lexicalRank)) * (RRF_OFFSET + 1)) / 2;
}

function recencyOf(candidate: Candidate, options: UnionOptions): number {
  if (options.halfLifeDays === null || candidate.occurredAtMs === null) return 0;
  const ageDays = Math.max(0, options.nowMs - candidate.occurredAtMs) / DAY_MS;
  return RECENCY_WEIGHT * 2 ** (-ageDays / options.halfLifeDays);
}
