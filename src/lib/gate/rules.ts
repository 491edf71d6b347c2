import { GATE_RULE_CODES, type GateRule } from "../contract/gate-policy.ts";
import type { TextMeasures } from "./measure-text.ts";

/** Sizes below which a rule does not judge: shares of a few characters say nothing. */
const MINIMUMS = {
  /** Characters without blanks, for shares of characters. */
  characters: 64,
  /** Words, for repetition. */
  words: 50,
  /** Lines with more than three characters, for repetition. */
  lines: 20,
  /** Occurrences of replacement characters and of mojibake. */
  damage: 3,
} as const;

/** What a rule measures, and whether the text is long enough for the measure to mean anything. */
interface RuleMeasure {
  readonly measure: (text: TextMeasures) => number;
  readonly sample: (text: TextMeasures) => number;
  readonly sampleMin: number;
}

const characters = { sample: (text: TextMeasures) => text.solid, sampleMin: MINIMUMS.characters };
const words = { sample: (text: TextMeasures) => text.tokens, sampleMin: MINIMUMS.words };
const lines = { sample: (text: TextMeasures) => text.lines, sampleMin: MINIMUMS.lines };

const RULE_MEASURES: Readonly<Record<GateRule, RuleMeasure>> = {
  letters_few: { measure: (text) => text.letters / text.solid, ...characters },
  encoded_blob: { measure: (text) => text.encoded / text.solid, ...characters },
  control_characters: { measure: (text) => text.controls / text.characters, ...characters },
  replacement_characters: {
    measure: (text) => text.replacements / text.solid,
    sample: (text) => text.replacements,
    sampleMin: MINIMUMS.damage,
  },
  mojibake: {
    measure: (text) => text.mojibakePairs / text.solid,
    sample: (text) => text.mojibakePairs,
    sampleMin: MINIMUMS.damage,
  },
  repeated_word: { measure: (text) => text.topTokenCount / text.tokens, ...words },
  repeated_line: { measure: (text) => text.topLineCount / text.lines, ...lines },
};

/** The measure of each rule, in the order of `GATE_RULE_CODES`; undefined where the text is too short for the rule. */
export function ruleMeasures(text: TextMeasures): (number | undefined)[] {
  return GATE_RULE_CODES.map((code) => {
    const rule = RULE_MEASURES[code];
    return rule.sample(text) >= rule.sampleMin ? rule.measure(text) : undefined;
  });
}
