import { assert } from "../base/assert.ts";
import type { GatePolicy } from "../contract/gate-policy.ts";
import type { Reason } from "../contract/verdict.ts";

/** Languages that a text may be in, by score (0 to 1, ISO 639-1), and whether the detector itself trusts the best one. */
export interface LanguageScores {
  readonly scores: Readonly<Record<string, number>>;
  readonly isReliable: boolean;
}
export type LanguageDetector = (text: string) => LanguageScores;

/** Letters below which the language is not judged: of texts of 20 characters 3.7 % would be kept out wrongly, of 50 still 0.5 %. */
export const LANGUAGE_LETTERS_MIN = 50;
/**
 * How much better (share of the best score) the best language that is not let in has to be than the best one that is. At 0.15, of German,
 * English and Spanish texts of 100 characters 0.21 % are kept out wrongly, and 99.1 % of those in another of the three are found; of 300
 * characters 0.05 % and 99.6 % (bench/gate/language.ts).
 */
const FOREIGN_MAX = 0.15;
/** Units that the detector is shown: it reads no more than 1,000. */
const SAMPLE_UNITS = 1_000;

/**
 * The detector of the package eld: 60 languages, at most 0.2 ms a text, the most accurate on short text of those measured
 * (docs/quality-gate.md). It costs 150 ms of CPU time and 29 MB of memory once, so it is loaded only where a policy restricts languages.
 */
export async function loadLanguageDetector(): Promise<LanguageDetector> {
  const { eld } = await import("eld/extrasmall");
  return (text) => {
    const result = eld.detect(text);
    return { scores: result.getScores(), isReliable: result.isReliable() };
  };
}

/** Which languages are let in, and how they are told apart. */
export interface LanguageRule {
  readonly languages: readonly string[];
  readonly detect: LanguageDetector;
}

/** The language rule of a policy; undefined where it lets all languages in. A policy that restricts them needs a detector. */
export function languageRuleOf(policy: GatePolicy, detect: LanguageDetector | undefined): LanguageRule | undefined {
  if (!policy.enabled || policy.languages.length === 0) return undefined;
  assert(detect !== undefined, "a policy that restricts languages comes with a language detector");
  return { languages: policy.languages, detect };
}

/** Why a text's language keeps it out: how sure the detector is that it is none of those let in. It never relaxes: it is a choice, no quality. */
export function languageReason(text: string, letters: number, rule: LanguageRule): Reason | undefined {
  if (letters < LANGUAGE_LETTERS_MIN) return undefined;
  const { scores, isReliable } = rule.detect(sampleOf(text));
  if (!isReliable) return undefined;
  const [best, bestScore] = Object.entries(scores).reduce(
    (most, entry) => (entry[1] > most[1] ? entry : most),
    ["", 0],
  );
  const letIn = Math.max(0, ...rule.languages.map((language) => scores[language] ?? 0));
  const measure = bestScore === 0 ? 0 : 1 - letIn / bestScore;
  return measure > FOREIGN_MAX
    ? {
        code: "language_not_let_in",
        measure: Math.round(measure * 10_000) / 10_000,
        threshold: FOREIGN_MAX,
        detail: best,
      }
    : undefined;
}

/** The part of a text that is shown to the detector: from a third on in a long one, past headers, titles and greetings. */
function sampleOf(text: string): string {
  const start = text.length <= SAMPLE_UNITS * 2 ? 0 : Math.floor(text.length / 3);
  return text.slice(start, start + SAMPLE_UNITS).toWellFormed();
}
