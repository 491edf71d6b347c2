import { DRIFT_DIMENSIONS, type BatchProfile, type DriftDimension } from "./batch-profile.ts";
import { jensenShannonDivergence, populationStabilityIndex, psiByChance, totalOf } from "./divergence.ts";

/** When a dimension has drifted; see the policy. */
export interface DriftThresholds {
  readonly psi_max: number;
  readonly js_max: number;
  readonly documents_min: number;
}

/** How two batches differ in one dimension. `too_few`: not compared, since a side has fewer inputs than the policy asks for. */
export interface DimensionDrift {
  readonly dimension: DriftDimension;
  readonly verdict: "steady" | "drifted" | "too_few";
  readonly psi: number;
  /** Index up to which chance alone explains the difference. */
  readonly psi_by_chance: number;
  /** Bits, 0 to 1. */
  readonly js: number;
  /** The categories whose shares changed most, largest change first. */
  readonly changes: readonly { readonly category: string; readonly share_before: number; readonly share_now: number }[];
}

/** Changes told of one dimension. */
const CHANGES_MAX = 5;

/**
 * Compares a batch with what came before, dimension by dimension. It has drifted where a threshold is passed and chance alone does not
 * explain it: of two small batches of one source, the index passes any fixed threshold now and then. Pure and deterministic.
 */
export function compareProfiles(
  now: BatchProfile,
  before: BatchProfile,
  thresholds: DriftThresholds,
): DimensionDrift[] {
  return DRIFT_DIMENSIONS.map((dimension) => {
    const [a, b] = [now[dimension], before[dimension]];
    const isEnough = totalOf(a) >= thresholds.documents_min && totalOf(b) >= thresholds.documents_min;
    const psi = populationStabilityIndex(a, b);
    const js = jensenShannonDivergence(a, b);
    const byChance = psiByChance(a, b);
    const isOver = (psi > thresholds.psi_max || js > thresholds.js_max) && psi > byChance;
    return {
      dimension,
      verdict: !isEnough ? "too_few" : isOver ? "drifted" : "steady",
      psi: rounded(psi),
      psi_by_chance: rounded(byChance),
      js: rounded(js),
      changes: changesOf(now, before, dimension),
    };
  });
}

function changesOf(now: BatchProfile, before: BatchProfile, dimension: DriftDimension): DimensionDrift["changes"] {
  const [a, b] = [now[dimension], before[dimension]];
  const [totalA, totalB] = [Math.max(1, totalOf(a)), Math.max(1, totalOf(b))];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map((category) => ({
      category,
      share_before: rounded((b[category] ?? 0) / totalB),
      share_now: rounded((a[category] ?? 0) / totalA),
    }))
    .filter((change) => change.share_before !== change.share_now)
    .sort((x, y) => sizeOf(y) - sizeOf(x) || (x.category < y.category ? -1 : 1))
    .slice(0, CHANGES_MAX);
}

function sizeOf(change: { readonly share_before: number; readonly share_now: number }): number {
  return Math.abs(change.share_now - change.share_before);
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
