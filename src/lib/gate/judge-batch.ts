import type { GatePolicy } from "../contract/gate-policy.ts";
import type { Tier } from "../contract/scope.ts";
import { assessText, type Assessment } from "./assess-text.ts";
import { languageRuleOf, type LanguageDetector } from "./language.ts";
import { judgementOf, type Judgement } from "./judge-text.ts";
import { RELAXATION_STEPS, thresholdsOf } from "./thresholds.ts";

/**
 * Texts that hard rules and language let through below which a batch is judged strictly. The rate of a few texts is noise: of 20 texts from a source
 * that passes 95 % of the time, fewer than 18 pass in 8 % of the batches, of 5 texts fewer than 5 in 23 %. And whoever sends one text at
 * a time must not have it relaxed to the floor each time.
 */
export const RELAXATION_BATCH_MIN = 20;

export interface GateInput {
  readonly text: string;
  readonly tier: Tier;
  /** Name that the counts are kept by. */
  readonly source: string;
}

/** How much of the batch a step lets in. */
export interface RelaxationStep {
  readonly step: number;
  readonly accepted: number;
  /** Share of the texts that hard rules and language let through: relaxing cannot help the others, so they must not call for it. */
  readonly acceptanceRate: number;
}

/** Verdicts of one source. `relaxed` are among the accepted; relaxed / accepted is what `fallback_fraction` shows. */
export interface SourceVerdicts {
  readonly source: string;
  readonly accepted: number;
  readonly relaxed: number;
  readonly quarantined: number;
  readonly rejected: number;
}

export interface BatchJudgement {
  /** Aligned with the inputs. */
  readonly judgements: readonly Judgement[];
  /** The step that the batch relaxed to: 0 is strict. */
  readonly step: number;
  /** Each step from strict to `step`, with what it lets in. */
  readonly steps: readonly RelaxationStep[];
  /** Sorted by source. */
  readonly sources: readonly SourceVerdicts[];
}

/**
 * Judges a batch. When fewer than the policy's target are accepted, thresholds relax step by step from strict to floor until the target
 * or the floor is reached. Hard rules and the language rule never relax. Deterministic; the order of the inputs changes nothing; what one step lets in the next
 * one lets in too. Each text is measured once. `detect` is needed where the policy restricts languages.
 */
export function judgeBatch(
  inputs: readonly GateInput[],
  policy: GatePolicy,
  detect?: LanguageDetector,
): BatchJudgement {
  const languageRule = languageRuleOf(policy, detect);
  const assessed = inputs.map((input) => {
    const rules = thresholdsOf(policy, input.tier);
    return { source: input.source, rules, assessment: assessText(input.text, rules, languageRule) };
  });
  const steps = relaxation(
    assessed.map((input) => input.assessment),
    policy.target_acceptance,
  );
  const step = steps.length - 1;
  const judged = assessed.map((input) => ({
    source: input.source,
    judgement: judgementOf(input.assessment, input.rules, step),
  }));
  return { judgements: judged.map((input) => input.judgement), step, steps, sources: sourceVerdicts(judged) };
}

function relaxation(assessments: readonly Assessment[], target: number): RelaxationStep[] {
  const judged = assessments.filter(({ hard, language }) => hard === undefined && language === undefined);
  const steps: RelaxationStep[] = [];
  for (let step = 0; step <= RELAXATION_STEPS; step++) {
    const accepted = judged.filter((assessment) => assessment.step <= step).length;
    const acceptanceRate = judged.length === 0 ? 1 : accepted / judged.length;
    steps.push({ step, accepted, acceptanceRate });
    if (acceptanceRate >= target || judged.length < RELAXATION_BATCH_MIN) break;
  }
  return steps;
}

function sourceVerdicts(judged: readonly { source: string; judgement: Judgement }[]): SourceVerdicts[] {
  const counts = new Map<string, { accepted: number; relaxed: number; quarantined: number; rejected: number }>();
  for (const { source, judgement } of judged) {
    const count = counts.get(source) ?? { accepted: 0, relaxed: 0, quarantined: 0, rejected: 0 };
    counts.set(source, count);
    count[judgement.verdict]++;
    if (judgement.relaxedStep > 0) count.relaxed++;
  }
  return [...counts.entries()]
    .map(([source, count]) => ({ source, ...count }))
    .sort((a, b) => (a.source < b.source ? -1 : 1));
}
