/** Counts by category: what a batch looks like in one dimension. */
export type Distribution = Readonly<Record<string, number>>;

/** Total count of a distribution. */
export function totalOf(distribution: Distribution): number {
  return Object.values(distribution).reduce((sum, count) => sum + count, 0);
}

/**
 * Added to each category of both sides before the population stability index is taken, as a count: a category that one side lacks would
 * otherwise make it infinite (Yurdakul, Statistical Properties of Population Stability Index, 2018, on empty bins).
 */
const PSI_PSEUDO_COUNT = 0.5;

/**
 * Population stability index of two distributions: Σ (p − q) · ln(p / q), which is the symmetrised Kullback-Leibler divergence (Siddiqi,
 * Credit Risk Scorecards, 2006). 0 where the shares are equal, symmetric, never negative; 0.25 is customarily a major change.
 */
export function populationStabilityIndex(a: Distribution, b: Distribution): number {
  const categories = categoriesOf(a, b);
  const total = (distribution: Distribution) => totalOf(distribution) + PSI_PSEUDO_COUNT * categories.length;
  const [totalA, totalB] = [total(a), total(b)];
  let index = 0;
  for (const category of categories) {
    const p = ((a[category] ?? 0) + PSI_PSEUDO_COUNT) / totalA;
    const q = ((b[category] ?? 0) + PSI_PSEUDO_COUNT) / totalB;
    index += (p - q) * Math.log(p / q);
  }
  return Math.max(0, index);
}

/**
 * Jensen-Shannon divergence of two distributions in bits: the mean Kullback-Leibler divergence from their mean (Lin, Divergence Measures
 * Based on the Shannon Entropy, 1991). 0 where the shares are equal, 1 where nothing is in common, symmetric. 0 where a side is empty.
 */
export function jensenShannonDivergence(a: Distribution, b: Distribution): number {
  const [totalA, totalB] = [totalOf(a), totalOf(b)];
  if (totalA === 0 || totalB === 0) return 0;
  let divergence = 0;
  for (const category of categoriesOf(a, b)) {
    const p = (a[category] ?? 0) / totalA;
    const q = (b[category] ?? 0) / totalB;
    const mean = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / mean)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / mean)) / 2;
  }
  return Math.min(1, Math.max(0, divergence));
}

/**
 * The population stability index that chance alone exceeds once in a thousand, for two samples of one population: PSI · N·M / (N + M) is
 * distributed as χ² with one degree of freedom less than there are categories (Yurdakul and Naranjo, Statistical Properties of the
 * Population Stability Index, Journal of Risk Model Validation, 2020). The quantile by Wilson and Hilferty (1931).
 */
export function psiByChance(a: Distribution, b: Distribution): number {
  const [n, m] = [totalOf(a), totalOf(b)];
  const freedom = categoriesOf(a, b).length - 1;
  if (n === 0 || m === 0 || freedom < 1) return 0;
  return chiSquareQuantile999(freedom) * (1 / n + 1 / m);
}

/** Standard normal quantile of 0.999. */
const NORMAL_QUANTILE_999 = 3.0902;

function chiSquareQuantile999(freedom: number): number {
  const step = 2 / (9 * freedom);
  return freedom * (1 - step + NORMAL_QUANTILE_999 * Math.sqrt(step)) ** 3;
}

function categoriesOf(a: Distribution, b: Distribution): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (category) => (a[category] ?? 0) + (b[category] ?? 0) > 0,
  );
}
