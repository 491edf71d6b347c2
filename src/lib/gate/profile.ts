/**
 * Thresholds of the gate. A training corpus may lose a good document and not miss it; a memory may not, and what it is given was meant
 * to be kept: code, tables, lists, poems, chats. So the published thresholds (named at the measures in `rules.ts`) are not ours: the
 * strict values lie above the largest measure of legitimate texts of each kind (bench/gate/measures.ts prints them), and what a shape of
 * text can have by right (bullets, short lines, no punctuation, braces) is measured and does not judge. A tenant that wants prose alone
 * sets them by policy.
 */
import type { GateRule } from "../contract/gate-policy.ts";
import type { Tier } from "../contract/scope.ts";

/** Changes whenever a rule, a measure or a threshold does: it is stored with every verdict. */
export const GATE_VERSION = "2";

/** A threshold before and after all relaxation; null where the rule is measured and does not judge. */
export type ThresholdRange = { readonly strict: number; readonly floor: number } | null;

/** Thresholds of one tier. */
export type GateProfile = Readonly<Record<GateRule, ThresholdRange>>;

/** Share of control characters from which a text is binary, whatever the policy says. */
export const BINARY_SHARE_MAX = 0.1;

/** Six parts in seven are copies of the rest. Concatenated licences reach 0.77, generated tables 0.7. */
const DUPLICATES: ThresholdRange = { strict: 0.85, floor: 0.95 };
/** One phrase is nearly all of the text. Lists that count ("item 7 of the list") reach 0.83, tables of constants 0.39. */
const TOP_GRAM: ThresholdRange = { strict: 0.9, floor: 0.97 };

const DOCUMENT: GateProfile = {
  letters_few: { strict: 0.1, floor: 0.04 },
  digits_many: { strict: 0.7, floor: 0.85 },
  encoded_blob: { strict: 0.5, floor: 0.8 },
  control_characters: { strict: 0.02, floor: 0.05 },
  replacement_characters: { strict: 0.01, floor: 0.05 },
  mojibake: { strict: 0.01, floor: 0.05 },
  words_few: null,
  words_short: null,
  words_long: { strict: 400, floor: 2_000 },
  words_without_letters: { strict: 0.9, floor: 0.97 },
  stop_words_few: null,
  symbols_many: { strict: 0.6, floor: 0.9 },
  bullet_lines: null,
  ellipsis_lines: { strict: 0.6, floor: 0.9 },
  unpunctuated_lines: null,
  short_lines: null,
  curly_braces: null,
  notice_lines: { strict: 0.5, floor: 0.8 },
  lorem_ipsum: { strict: 0.5, floor: 0.8 },
  repeated_word: { strict: 0.5, floor: 0.8 },
  repeated_line: { strict: 0.6, floor: 0.9 },
  duplicate_lines: DUPLICATES,
  duplicate_line_characters: DUPLICATES,
  duplicate_paragraphs: DUPLICATES,
  duplicate_paragraph_characters: DUPLICATES,
  top_2_gram: TOP_GRAM,
  top_3_gram: TOP_GRAM,
  top_4_gram: TOP_GRAM,
  duplicate_5_grams: DUPLICATES,
  duplicate_6_grams: DUPLICATES,
  duplicate_7_grams: DUPLICATES,
  duplicate_8_grams: DUPLICATES,
  duplicate_9_grams: DUPLICATES,
  duplicate_10_grams: DUPLICATES,
};

const NEARLY_ALL: ThresholdRange = { strict: 0.95, floor: 0.98 };
const NEARLY_ALL_DUPLICATES = {
  duplicate_lines: NEARLY_ALL,
  duplicate_line_characters: NEARLY_ALL,
  duplicate_paragraphs: NEARLY_ALL,
  duplicate_paragraph_characters: NEARLY_ALL,
  duplicate_5_grams: NEARLY_ALL,
  duplicate_6_grams: NEARLY_ALL,
  duplicate_7_grams: NEARLY_ALL,
  duplicate_8_grams: NEARLY_ALL,
  duplicate_9_grams: NEARLY_ALL,
  duplicate_10_grams: NEARLY_ALL,
};

/** Live messages are short and informal: pasted figures, keys and repeated cries belong to a conversation. */
const EVENT: GateProfile = {
  ...DOCUMENT,
  ...NEARLY_ALL_DUPLICATES,
  letters_few: { strict: 0.05, floor: 0.02 },
  digits_many: { strict: 0.9, floor: 0.97 },
  encoded_blob: { strict: 0.8, floor: 0.9 },
  words_without_letters: { strict: 0.95, floor: 0.98 },
  symbols_many: null,
  ellipsis_lines: null,
  notice_lines: { strict: 0.8, floor: 0.95 },
  repeated_word: { strict: 0.8, floor: 0.9 },
  repeated_line: { strict: 0.9, floor: 0.95 },
  top_2_gram: NEARLY_ALL,
  top_3_gram: NEARLY_ALL,
  top_4_gram: NEARLY_ALL,
};

/** Files that a machine or a person made for work: code, tables, logs. */
const ARTIFACT: GateProfile = {
  ...DOCUMENT,
  ...NEARLY_ALL_DUPLICATES,
  letters_few: { strict: 0.05, floor: 0.02 },
  digits_many: { strict: 0.85, floor: 0.95 },
  encoded_blob: { strict: 0.8, floor: 0.9 },
  words_long: { strict: 2_000, floor: 10_000 },
  symbols_many: null,
};

export const GATE_PROFILES: Readonly<Record<Tier, GateProfile>> = {
  event: EVENT,
  summary: DOCUMENT,
  doc: DOCUMENT,
  profile: DOCUMENT,
  artifact: ARTIFACT,
};
