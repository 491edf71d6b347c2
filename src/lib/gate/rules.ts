import { GATE_RULE_CODES, type GateRule } from "../contract/gate-policy.ts";
import { REPETITION_WORDS_MIN, type TextMeasures } from "./measure-text.ts";

/** Sizes below which a rule does not judge: shares of a few characters say nothing. */
const MINIMUMS = {
  /** Characters without blanks, for shares of characters. */
  characters: 64,
  /** Words, for shares of words: Gopher's least document. */
  words: 50,
  /** Lines with more than three characters, for repetition and for their form. */
  lines: 20,
  paragraphs: 6,
  /** Lines, for notices: C4's least page has five sentences. */
  noticeLines: 5,
  /** Occurrences of replacement characters and of mojibake. */
  damage: 3,
} as const;

/** What a rule measures, and whether the text is long enough for the measure to mean anything. */
interface RuleMeasure {
  readonly measure: (text: TextMeasures) => number;
  readonly sample: (text: TextMeasures) => number;
  readonly sampleMin: number;
}

type Measure = RuleMeasure["measure"];

const always = (measure: Measure): RuleMeasure => ({ measure, sample: () => 1, sampleMin: 1 });
const ofCharacters = (measure: Measure): RuleMeasure => ({
  measure,
  sample: (text) => text.solid,
  sampleMin: MINIMUMS.characters,
});
const ofWords = (measure: Measure): RuleMeasure => ({
  measure,
  sample: (text) => text.words.count,
  sampleMin: MINIMUMS.words,
});
const ofComparedWords = (measure: Measure): RuleMeasure => ({
  measure,
  sample: (text) => text.repetition.words,
  sampleMin: REPETITION_WORDS_MIN,
});
const ofLines = (measure: Measure): RuleMeasure => ({
  measure,
  sample: (text) => text.lines.repeats.count,
  sampleMin: MINIMUMS.lines,
});
const ofParagraphs = (measure: Measure): RuleMeasure => ({
  measure,
  sample: (text) => text.paragraphs.count,
  sampleMin: MINIMUMS.paragraphs,
});
const ofDamage = (damage: Measure): RuleMeasure => ({
  measure: (text) => damage(text) / text.solid,
  sample: damage,
  sampleMin: MINIMUMS.damage,
});

/**
 * Measure of each rule. Sources, with the thresholds published there (ours are in the profile, with why they are laxer):
 * - Gopher: Rae et al. 2021, arXiv 2112.11446, appendix A1.1. 50 to 100,000 words; mean word length 3 to 10; `#` or ellipsis per word at
 *   most 0.1; at most 90 % of lines begin with a bullet and 30 % end with an ellipsis; 80 % of words have a letter; two of eight stop
 *   words; duplicate lines and paragraphs 0.30 by count and 0.20 by characters; top 2-, 3-, 4-gram 0.20, 0.18, 0.16 of the characters;
 *   duplicate 5- to 10-grams 0.15, 0.14, 0.13, 0.12, 0.11, 0.10 of them.
 * - C4: Raffel et al. 2020, arXiv 1910.10683, section 2.2. Drops pages with a curly bracket or "lorem ipsum", lines without a sentence's
 *   end, lines with "javascript" and policy notices, pages of fewer than five sentences.
 * - RefinedWeb: Penedo et al. 2023, arXiv 2306.01116, appendix G. Gopher's rules, and drops lines of digits, capitals or counters.
 * - FineWeb: Penedo et al. 2024, arXiv 2406.17557, section 3.6. Drops documents where at most 12 % of lines end with punctuation, at least
 *   10 % of the characters are in duplicate lines, or at least 67 % of lines have fewer than 30 characters.
 */
const RULE_MEASURES: Readonly<Record<GateRule, RuleMeasure>> = {
  letters_few: ofCharacters((text) => text.letters / text.solid),
  digits_many: ofCharacters((text) => text.digits / text.solid),
  encoded_blob: ofCharacters((text) => text.encoded / text.solid),
  control_characters: ofCharacters((text) => text.controls / text.characters),
  replacement_characters: ofDamage((text) => text.replacements),
  mojibake: ofDamage((text) => text.mojibakePairs),
  words_few: always((text) => text.words.count),
  words_short: ofWords((text) => text.words.units / text.words.count),
  words_long: ofWords((text) => text.words.units / text.words.count),
  words_without_letters: ofWords((text) => 1 - text.words.withLetters / text.words.count),
  stop_words_few: ofWords((text) => text.words.stopWords / text.words.count),
  symbols_many: ofWords((text) => Math.max(text.numberSigns, text.ellipses) / text.words.count),
  bullet_lines: ofLines((text) => text.lines.bullets / text.lines.count),
  ellipsis_lines: ofLines((text) => text.lines.ellipses / text.lines.count),
  unpunctuated_lines: ofLines((text) => text.lines.unpunctuated / text.lines.count),
  short_lines: ofLines((text) => text.lines.short / text.lines.count),
  curly_braces: ofCharacters((text) => text.braces / text.solid),
  notice_lines: {
    measure: (text) => text.noticeLines / text.lines.count,
    sample: (text) => text.lines.count,
    sampleMin: MINIMUMS.noticeLines,
  },
  lorem_ipsum: ofWords((text) => text.words.lorem / text.words.count),
  repeated_word: ofComparedWords((text) => text.repetition.topWordCount / text.repetition.words),
  repeated_line: ofLines((text) => text.lines.repeats.topCount / text.lines.repeats.count),
  duplicate_lines: ofLines((text) => text.lines.repeats.duplicates / text.lines.repeats.count),
  duplicate_line_characters: ofLines((text) => text.lines.repeats.duplicateSolid / text.lines.repeats.solid),
  duplicate_paragraphs: ofParagraphs((text) => text.paragraphs.duplicates / text.paragraphs.count),
  duplicate_paragraph_characters: ofParagraphs((text) => text.paragraphs.duplicateSolid / text.paragraphs.solid),
  top_2_gram: ofComparedWords((text) => text.repetition.topShares[0]),
  top_3_gram: ofComparedWords((text) => text.repetition.topShares[1]),
  top_4_gram: ofComparedWords((text) => text.repetition.topShares[2]),
  duplicate_5_grams: ofComparedWords((text) => text.repetition.duplicateShares[0]),
  duplicate_6_grams: ofComparedWords((text) => text.repetition.duplicateShares[1]),
  duplicate_7_grams: ofComparedWords((text) => text.repetition.duplicateShares[2]),
  duplicate_8_grams: ofComparedWords((text) => text.repetition.duplicateShares[3]),
  duplicate_9_grams: ofComparedWords((text) => text.repetition.duplicateShares[4]),
  duplicate_10_grams: ofComparedWords((text) => text.repetition.duplicateShares[5]),
};

/** The measure of each rule, in the order of `GATE_RULE_CODES`; undefined where the text is too short for the rule. */
export function ruleMeasures(text: TextMeasures): (number | undefined)[] {
  return GATE_RULE_CODES.map((code) => {
    const rule = RULE_MEASURES[code];
    return rule.sample(text) >= rule.sampleMin ? rule.measure(text) : undefined;
  });
}
