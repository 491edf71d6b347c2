import { GATE_RULE_CODES, GATE_RULES, type GatePolicy, type GateRule } from "../contract/gate-policy.ts";
import type { Tier } from "../contract/scope.ts";
import { GATE_PROFILES, type ThresholdRange } from "./profile.ts";

/** Steps from strict (0) to floor. Four keep a step coarse enough to be explained and fine enough not to let everything in at once. */
export const RELAXATION_STEPS = 4;

/** A text that no step lets in. */
export const NO_STEP = RELAXATION_STEPS + 1;

/** One rule as a policy and a tier have it. */
export interface RuleThresholds {
  readonly code: GateRule;
  readonly kind: "min" | "max";
  /** The threshold of each step, from strict to floor, each as lax as the one before or laxer; null where the rule does not judge. */
  readonly steps: readonly number[] | null;
}

// A policy is one object for as long as its key is known, and making its tables costs more than judging a chat message.
const TABLES = new WeakMap<GatePolicy, Map<Tier, readonly RuleThresholds[]>>();

/** The thresholds of all rules in the order of `GATE_RULE_CODES`: those of the profile, with what the policy replaces. */
export function thresholdsOf(policy: GatePolicy, tier: Tier): readonly RuleThresholds[] {
  const tables = TABLES.get(policy) ?? new Map<Tier, readonly RuleThresholds[]>();
  TABLES.set(policy, tables);
  const known = tables.get(tier) ?? makeThresholds(policy, tier);
  tables.set(tier, known);
  return known;
}

function makeThresholds(policy: GatePolicy, tier: Tier): readonly RuleThresholds[] {
  return GATE_RULE_CODES.map((code) => {
    const kind = GATE_RULES[code];
    const range = policy.enabled ? rangeOf(policy, tier, code) : null;
    return { code, kind, steps: range === null ? null : stepsOf(range, kind) };
  });
}

function rangeOf(policy: GatePolicy, tier: Tier, code: GateRule): ThresholdRange {
  const own = policy.thresholds[tier]?.[code];
  const standard = GATE_PROFILES[tier][code];
  if (own === undefined) return standard;
  if (own === null) return null;
  const strict = own.strict ?? standard?.strict ?? own.floor;
  const floor = own.floor ?? standard?.floor ?? strict;
  return strict === undefined || floor === undefined ? null : { strict, floor };
}

/** A floor stricter than the strict value means no relaxation: a tenant that only loosens `strict` past our floor gets what it says. */
function stepsOf({ strict, floor }: { strict: number; floor: number }, kind: "min" | "max"): readonly number[] {
  const laxest = kind === "max" ? Math.max(strict, floor) : Math.min(strict, floor);
  return Array.from({ length: RELAXATION_STEPS + 1 }, (_, step) =>
    step === RELAXATION_STEPS ? laxest : strict + (laxest - strict) * (step / RELAXATION_STEPS),
  );
}

/** The first step whose threshold the measure meets, `NO_STEP` where none does. */
export function stepNeeded(rule: RuleThresholds, measure: number | undefined): number {
  if (rule.steps === null || measure === undefined) return 0;
  for (const [step, threshold] of rule.steps.entries()) {
    if (rule.kind === "max" ? measure <= threshold : measure >= threshold) return step;
  }
  return NO_STEP;
}
