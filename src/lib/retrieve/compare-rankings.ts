/** How two rankings of the same query differ. Pure. */

export interface RankingPair {
  /** Keys of the first k, best first, each once. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export interface RankingChange {
  readonly overlapMean: number;
  readonly overlapMin: number;
  readonly sameFirstShare: number;
  readonly rankMoveMean: number;
  readonly rankMoveMax: number;
}

/** Over all pairs. Overlap@k is the share of the longer list that both hold; two empty lists agree. Without pairs everything agrees. */
export function rankingChange(pairs: readonly RankingPair[]): RankingChange {
  const overlaps = pairs.map(overlapOf);
  const moves = pairs.flatMap(movesOf);
  const sameFirst = pairs.filter(({ before, after }) => before[0] === after[0]).length;
  return {
    overlapMean: mean(overlaps, 1),
    overlapMin: Math.min(1, ...overlaps),
    sameFirstShare: pairs.length === 0 ? 1 : sameFirst / pairs.length,
    rankMoveMean: mean(moves, 0),
    rankMoveMax: Math.max(0, ...moves),
  };
}

function overlapOf({ before, after }: RankingPair): number {
  const longer = Math.max(before.length, after.length);
  const known = new Set(before);
  return longer === 0 ? 1 : after.filter((key) => known.has(key)).length / longer;
}

function movesOf({ before, after }: RankingPair): readonly number[] {
  const places = new Map(before.map((key, index) => [key, index]));
  return after.flatMap((key, index) => {
    const place = places.get(key);
    return place === undefined ? [] : [Math.abs(place - index)];
  });
}

function mean(values: readonly number[], empty: number): number {
  return values.length === 0 ? empty : values.reduce((sum, value) => sum + value, 0) / values.length;
}
