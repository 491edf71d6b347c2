import { DEFAULT_GATE_POLICY, type GatePolicy } from "../contract/gate-policy.ts";
import type { Tier } from "../contract/scope.ts";
import type { Reason, Verdict } from "../contract/verdict.ts";
import { assessText, rounded, type Assessment } from "./assess-text.ts";
import { languageRuleOf, type LanguageDetector } from "./language.ts";
import { RELAXATION_STEPS, stepNeeded, thresholdsOf, type RuleThresholds } from "./thresholds.ts";

/** The gate's judgement of one text, with its size, which the caller needs next. */
export interface Judgement {
  readonly verdict: Verdict;
  /**
   * Every rule that speaks against the text, with its measure and the threshold it was held to. An accepted text has none, unless it was
   * let in by relaxation: then `relaxed_step` (measure: its step, threshold: the last one) and the strict rules it failed.
   */
  readonly reasons: Reason[];
  readonly textBytes: number;
  /** The step of relaxation that let an accepted text in; 0 where the strict thresholds did, or where it is not accepted. */
  readonly relaxedStep: number;
}

/**
 * Judges one text by itself, with the strict thresholds. Hard rules reject (it cannot be stored or searched at all), soft rules quarantine
 * (it can be looked at and released).
 * `detect` is needed where the policy restricts languages. Pure, O(length).
 */
export function judgeText(
  text: string,
  tier: Tier,
  policy: GatePolicy = DEFAULT_GATE_POLICY,
  detect?: LanguageDetector,
): Judgement {
  const rules = thresholdsOf(policy, tier);
  return judgementOf(assessText(text, rules, languageRuleOf(policy, detect)), rules, 0);
}

/** The judgement of an assessed text when its batch has relaxed to `step`. */
export function judgementOf(assessment: Assessment, rules: readonly RuleThresholds[], step: number): Judgement {
  const { hard, language, textBytes } = assessment;
  if (hard !== undefined) return { verdict: "rejected", reasons: [hard], textBytes, relaxedStep: 0 };
  if (language !== undefined || assessment.step > step) {
    const reasons = [...(language === undefined ? [] : [language]), ...failures(assessment, rules, step)];
    return { verdict: "quarantined", reasons, textBytes, relaxedStep: 0 };
  }
  if (assessment.step === 0) return { verdict: "accepted", reasons: [], textBytes, relaxedStep: 0 };
  const relaxed = { code: "relaxed_step", measure: assessment.step, threshold: RELAXATION_STEPS };
  const reasons = [relaxed, ...failures(assessment, rules, 0)];
  return { verdict: "accepted", reasons, textBytes, relaxedStep: assessment.step };
}

/** The rules that do not let the text in at a step. */
function failures(assessment: Assessment, rules: readonly RuleThresholds[], step: number): Reason[] {
  return rules.flatMap((rule, index): Reason[] => {
    const measure = assessment.measures[index];
    const threshold = rule.steps?.[step];
    if (measure === undefined || threshold === undefined || stepNeeded(rule, measure) <= step) return [];
    return [{ code: rule.code, measure: rounded(measure), threshold: rounded(threshold) }];
  });
}
