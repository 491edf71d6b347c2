import type { Candidate, ScoreParts } from "./candidate.ts";

/** How a candidate stands on the side of vectors and on the side of words. */
export type Sides = Pick<ScoreParts, "vectorNormalised" | "lexicalNormalised" | "vectorRank" | "lexicalRank">;

type ScoreOf = (candidate: Candidate) => number | null;
const vectorScoreOf: ScoreOf = (candidate) => candidate.vectorScore;
const lexicalScoreOf: ScoreOf = (candidate) => candidate.lexicalScore;

/** Rank offset of reciprocal-rank fusion (Cormack, Clarke and Büttcher 2009). */
const RRF_OFFSET = 60;

/** Ties by key, so that the order of the candidates is of no weight. */
export function keyOrder(a: Candidate, b: Candidate): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** Both sides of each candidate, in the order given: scores divided by the best of their side, and ranks. */
export function sidesOf(candidates: readonly Candidate[]): Sides[] {
  const bestVector = bestOf(candidates, vectorScoreOf);
  const bestLexical = bestOf(candidates, lexicalScoreOf);
  const vectorRanks = ranksOf(candidates, vectorScoreOf);
  const lexicalRanks = ranksOf(candidates, lexicalScoreOf);
  return candidates.map((candidate) => ({
    vectorNormalised: normalised(candidate.vectorScore, bestVector),
    lexicalNormalised: normalised(candidate.lexicalScore, bestLexical),
    vectorRank: vectorRanks.get(candidate.key) ?? null,
    lexicalRank: lexicalRanks.get(candidate.key) ?? null,
  }));
}

/** Convex combination; a side that has no scores at all has no weight. */
export function convexFusion(sides: readonly Sides[], lexicalWeight: number): number[] {
  const hasVectors = sides.some((side) => side.vectorNormalised > 0);
  const hasWords = sides.some((side) => side.lexicalNormalised > 0);
  const weight = !hasVectors ? 1 : hasWords ? lexicalWeight : 0;
  return sides.map((side) => weight * side.lexicalNormalised + (1 - weight) * side.vectorNormalised);
}

/** Reciprocal ranks, 1 for what is first on both sides. A side that did not find a candidate adds 0. */
export function rankFusion(sides: readonly Sides[]): number[] {
  const share = (rank: number | null): number => (rank === null ? 0 : 1 / (RRF_OFFSET + rank));
  return sides.map((side) => ((share(side.vectorRank) + share(side.lexicalRank)) * (RRF_OFFSET + 1)) / 2);
}

// Position of each candidate among those that a side scored above 0, best first.
function ranksOf(candidates: readonly Candidate[], scoreOf: ScoreOf): Map<string, number> {
  const found = candidates.filter((candidate) => (scoreOf(candidate) ?? 0) > 0);
  const sorted = found.toSorted((a, b) => (scoreOf(b) ?? 0) - (scoreOf(a) ?? 0) || keyOrder(a, b));
  return new Map(sorted.map((candidate, index) => [candidate.key, index + 1]));
}

function bestOf(candidates: readonly Candidate[], scoreOf: ScoreOf): number {
  return candidates.reduce((best, candidate) => Math.max(best, scoreOf(candidate) ?? 0), 0);
}

function normalised(score: number | null, best: number): number {
  return best > 0 ? Math.max(0, score ?? 0) / best : 0;
}
