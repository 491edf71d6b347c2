import type { GatePolicy, GateRule } from "../contract/gate-policy.ts";
import type { Tier } from "../contract/scope.ts";
import { assessText, rounded } from "./assess-text.ts";
import { languageRuleOf, type LanguageDetector, type LanguageScores } from "./language.ts";
import { judgementOf, type Judgement } from "./judge-text.ts";
import { stepNeeded, thresholdsOf } from "./thresholds.ts";

/** One rule as it met a text. */
export interface InspectedRule {
  readonly code: GateRule;
  /** A text passes with a measure of at most (`max`) or at least (`min`) the threshold. */
  readonly kind: "min" | "max";
  /** null where the text is too short for the rule. */
  readonly measure: number | null;
  /** null where the rule is measured and does not judge. */
  readonly strict: number | null;
  readonly floor: number | null;
  /** First step of relaxation that passes the text, null where none does. */
  readonly step: number | null;
}

export interface Inspection extends Judgement {
  /** Empty where a hard rule rejects. */
  readonly rules: readonly InspectedRule[];
  /** What the detector says of the text; null where none was given, or a hard rule rejects. */
  readonly language: LanguageScores | null;
}

/** The strict judgement of one text with every measure, also those that passed. */
export function inspectText(text: string, tier: Tier, policy: GatePolicy, detect?: LanguageDetector): Inspection {
  const thresholds = thresholdsOf(policy, tier);
  const assessment = assessText(text, thresholds, languageRuleOf(policy, detect));
  const judgement = judgementOf(assessment, thresholds, 0);
  if (assessment.hard !== undefined) return { ...judgement, rules: [], language: null };
  const rules = thresholds.map((rule, index) => {
    const measure = assessment.measures[index];
    const step = stepNeeded(rule, measure);
    return {
      code: rule.code,
      kind: rule.kind,
      measure: measure === undefined ? null : rounded(measure),
      strict: rule.steps?.[0] ?? null,
      floor: rule.steps?.at(-1) ?? null,
      step: rule.steps !== null && step >= rule.steps.length ? null : step,
    };
  });
  return { ...judgement, rules, language: detect?.(text) ?? null };
}
