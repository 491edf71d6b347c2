import { z } from "zod";
import { TIERS } from "./scope.ts";

/** The soft rules of the quality gate: a text is fine while the measure is at most (`max`) or at least (`min`) the threshold. */
export const GATE_RULES = {
  letters_few: "min",
  digits_many: "max",
  encoded_blob: "max",
  control_characters: "max",
  replacement_characters: "max",
  mojibake: "max",
  words_few: "min",
  words_short: "min",
  words_long: "max",
  words_without_letters: "max",
  stop_words_few: "min",
  symbols_many: "max",
  bullet_lines: "max",
  ellipsis_lines: "max",
  unpunctuated_lines: "max",
  short_lines: "max",
  curly_braces: "max",
  notice_lines: "max",
  lorem_ipsum: "max",
  repeated_word: "max",
  repeated_line: "max",
  duplicate_lines: "max",
  duplicate_line_characters: "max",
  duplicate_paragraphs: "max",
  duplicate_paragraph_characters: "max",
  top_2_gram: "max",
  top_3_gram: "max",
  top_4_gram: "max",
  duplicate_5_grams: "max",
  duplicate_6_grams: "max",
  duplicate_7_grams: "max",
  duplicate_8_grams: "max",
  duplicate_9_grams: "max",
  duplicate_10_grams: "max",
} as const satisfies Record<string, "max" | "min">;
export type GateRule = keyof typeof GATE_RULES;
export const GATE_RULE_CODES = Object.keys(GATE_RULES).filter((code): code is GateRule => code in GATE_RULES);

const thresholdSchema = z
  .strictObject({
    strict: z.number().min(0).max(1_000_000).optional().describe("judged with first"),
    floor: z.number().min(0).max(1_000_000).optional().describe("the laxest value that relaxation may reach"),
  })
  .nullable()
  .describe("null: the rule is measured and never judges");

const tierThresholdsSchema = z.partialRecord(z.enum(GATE_RULE_CODES), thresholdSchema).superRefine((rules, context) => {
  for (const code of GATE_RULE_CODES) {
    const { strict, floor } = rules[code] ?? {};
    if (strict === undefined || floor === undefined) continue;
    if (GATE_RULES[code] === "max" ? floor >= strict : floor <= strict) continue;
    context.addIssue({ code: "custom", path: [code, "floor"], message: "must not be stricter than strict" });
  }
});

/** Languages of one policy: more than these and the rule says nothing any more. */
const LANGUAGES_MAX = 50;

/**
 * What a tenant may change of the quality gate; a part of `tenants.policy`. `{}` is the default policy. The hard rules (empty, binary, too
 * large, not well formed) are not part of it: nothing that fails them can be stored.
 */
export const gatePolicySchema = z.strictObject({
  enabled: z.boolean().default(true).describe("false: only the hard rules judge"),
  target_acceptance: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe("share of a batch under which thresholds relax towards their floor; 0 never relaxes"),
  languages: z
    .array(z.string().regex(/^[a-z]{2}$/))
    .max(LANGUAGES_MAX)
    .default([])
    .describe("ISO 639-1 codes of the languages that are let in; empty: all"),
  thresholds: z
    .partialRecord(z.enum(TIERS), tierThresholdsSchema)
    .default({})
    .describe("thresholds that replace those of the profile, by tier and rule"),
});
export type GatePolicy = z.infer<typeof gatePolicySchema>;

export const DEFAULT_GATE_POLICY: GatePolicy = gatePolicySchema.parse({});
