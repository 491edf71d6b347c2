import { z } from "zod";
import { GATE_RULE_CODES } from "../../lib/contract/gate-policy.ts";
import { PII_ACTIONS, PII_TYPES } from "../../lib/contract/pii.ts";
import { tierSchema } from "../../lib/contract/scope.ts";
import { reasonSchema } from "../../lib/contract/verdict.ts";
import { CURATE_VERDICTS } from "../../lib/curate/curate-batch.ts";

const offset = z.int().min(0).describe("UTF-16 units in the text as it was given");

const inspectedRuleSchema = z.strictObject({
  code: z.enum(GATE_RULE_CODES),
  kind: z.enum(["min", "max"]),
  measure: z.number().nullable().describe("null: the text is too short for the rule"),
  strict: z.number().nullable().describe("null: measured, does not judge"),
  floor: z.number().nullable(),
  step: z.int().nullable().describe("first step of relaxation that passes, null where none does"),
});

/** One line of `jeeves inspect --json`: what the system would do with one text. Parts that were not asked for are left out. */
export const inspectionSchema = z.strictObject({
  path: z.string().describe("file, relative to the working folder"),
  id: z.string(),
  tier: tierSchema,
  source: z.string(),
  characters: z.int(),
  verdict: z.enum(CURATE_VERDICTS).optional(),
  reasons: z.array(reasonSchema).optional(),
  relaxed_step: z.int().optional(),
  duplicate_of: z
    .strictObject({ id: z.string(), kind: z.enum(["exact", "near"]), similarity: z.number() })
    .nullable()
    .optional(),
  rules: z.strictObject({ gate_version: z.string(), measured: z.array(inspectedRuleSchema) }).optional(),
  pii: z
    .strictObject({
      rules_version: z.string(),
      action: z.enum(PII_ACTIONS),
      spans: z.array(
        z.strictObject({
          type: z.enum(PII_TYPES),
          start: offset,
          end: offset,
          score: z.number(),
          detector: z.string(),
        }),
      ),
    })
    .optional(),
  chunks: z
    .strictObject({
      chunker_version: z.string(),
      token_count: z.int().describe("sum over the chunks, titles included"),
      items: z.array(
        z.strictObject({
          index: z.int(),
          start: offset,
          end: offset,
          token_count: z.int().describe("with its context"),
          context: z.string().describe("lines embedded before the slice: title, headings, speaker; '' for none"),
        }),
      ),
    })
    .optional(),
});
export type Inspection = z.infer<typeof inspectionSchema>;

/** A line of the same stream for a file or record that could not be read. */
export const inspectionRefusalSchema = z.strictObject({
  path: z.string(),
  refused: z.string().describe("code of the refusal"),
  record: z.int().optional(),
  detail: z.string().optional(),
});

export const INSPECTION_PARTS = ["verdict", "rules", "pii", "chunks"] as const;
export type InspectionPart = (typeof INSPECTION_PARTS)[number];
