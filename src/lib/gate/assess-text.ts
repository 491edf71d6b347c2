import { LIMITS } from "../base/limits.ts";
import type { Reason } from "../contract/verdict.ts";
import { languageReason, type LanguageRule } from "./language.ts";
import { measureText, type TextMeasures } from "./measure-text.ts";
import { BINARY_SHARE_MAX } from "./profile.ts";
import { ruleMeasures } from "./rules.ts";
import { NO_STEP, stepNeeded, type RuleThresholds } from "./thresholds.ts";

/** What the gate found in one text, before it is known how far its batch relaxes. */
export interface Assessment {
  readonly textBytes: number;
  /** The hard rule that the text fails: it is rejected whatever the step. */
  readonly hard: Reason | undefined;
  /** The language that keeps the text out: it is quarantined whatever the step. */
  readonly language: Reason | undefined;
  /** The measure of each rule, aligned with the thresholds; undefined where the text is too short for the rule. */
  readonly measures: readonly (number | undefined)[];
  /** The first step at which every rule lets the text in; `NO_STEP` where none does. */
  readonly step: number;
}

/** Measures one text once and says from which step on it is let in. Pure, O(length). */
export function assessText(
  text: string,
  rules: readonly RuleThresholds[],
  languageRule: LanguageRule | undefined,
): Assessment {
  // Measuring 10 MB to say that it is too large would be a gift to an attacker: a unit is one byte at least.
  if (text.length > LIMITS.documentBytesMax) return failed(text.length, tooLarge(text.length));
  const measures = measureText(text);
  const hard = hardReason(text, measures);
  if (hard !== undefined) return failed(measures.utf8Bytes, hard);
  const values = ruleMeasures(measures);
  const step = rules.reduce((most, rule, index) => Math.max(most, stepNeeded(rule, values[index])), 0);
  const language = languageRule === undefined ? undefined : languageReason(text, measures.letters, languageRule);
  return { textBytes: measures.utf8Bytes, hard: undefined, language, measures: values, step };
}

function failed(textBytes: number, hard: Reason): Assessment {
  return { textBytes, hard, language: undefined, measures: [], step: NO_STEP };
}

/** What can never be stored or searched: no policy and no relaxation reaches it. */
function hardReason(text: string, measures: TextMeasures): Reason | undefined {
  if (measures.solid === 0 || text.trim() === "") return { code: "empty_text" };
  if (measures.utf8Bytes > LIMITS.documentBytesMax) return tooLarge(measures.utf8Bytes);
  if (!text.isWellFormed()) return { code: "not_well_formed" };
  if (measures.nuls > 0) return { code: "nul_bytes", measure: measures.nuls, threshold: 0 };
  const controlShare = measures.controls / measures.characters;
  return controlShare > BINARY_SHARE_MAX
    ? { code: "binary", measure: rounded(controlShare), threshold: BINARY_SHARE_MAX }
    : undefined;
}

function tooLarge(textBytes: number): Reason {
  return { code: "too_large", measure: textBytes, threshold: LIMITS.documentBytesMax };
}

/** A measure as it is reported: four decimals. */
export function rounded(measure: number): number {
  return Math.round(measure * 10_000) / 10_000;
}
