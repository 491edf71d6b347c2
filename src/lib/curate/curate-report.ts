import { z } from "zod";
import { PII_ACTIONS, PII_TYPES } from "../contract/pii.ts";
import { tierSchema } from "../contract/scope.ts";
import { CURATE_VERDICTS } from "./curate-batch.ts";

const count = z.int().min(0);
const share = z.number().min(0).max(1);

export const verdictCountsSchema = z.strictObject({
  accepted: count,
  duplicate: count,
  quarantined: count,
  rejected: count,
});
export type VerdictCounts = z.infer<typeof verdictCountsSchema>;

const driftedSchema = z.strictObject({
  dimension: z.string(),
  psi: z.number().describe("population stability index"),
  js_bits: z.number().describe("Jensen-Shannon divergence, bits"),
  verdict: z
    .enum(["steady", "drifted", "too_few"])
    .describe("too_few: a side has fewer inputs than the policy asks for"),
});

/** `report.json` of a curation: what became of the inputs and why. It holds counts, codes and names of sources and files, never text. */
export const curateReportSchema = z.strictObject({
  kind: z.literal("curate_report"),
  schema_version: z.literal(1),
  created_at: z.iso.datetime(),
  file_count: count,
  input_count: count.describe("texts that were read"),
  verdicts: verdictCountsSchema,
  acceptance_rate: share.describe("accepted / inputs"),
  relaxation: z.strictObject({
    target: share.describe("acceptance under which thresholds relax"),
    step: count.describe("step reached, 0 = strict"),
    steps_max: count,
    relaxed_count: count.describe("accepted only because thresholds were relaxed"),
    steps: z.array(z.strictObject({ step: count, passed: count, pass_rate: share })),
  }),
  sources: z.array(
    z.strictObject({
      source: z.string(),
      tier: tierSchema,
      input_count: count,
      ...verdictCountsSchema.shape,
      relaxed: count,
      fallback_fraction: share.describe("relaxed / accepted"),
    }),
  ),
  reasons: z.array(z.strictObject({ verdict: z.enum(CURATE_VERDICTS), code: z.string(), input_count: count })),
  source_reasons: z
    .array(z.strictObject({ source: z.string(), code: z.string(), input_count: count }))
    .describe("why inputs of a source were not accepted"),
  lengths: z
    .array(z.strictObject({ from: count, to: count, accepted: count, other: count }))
    .describe("characters of the texts, each bin twice as wide as the one before; `to` is not part of it"),
  pii: z.array(
    z.strictObject({ type: z.enum(PII_TYPES), action: z.enum(PII_ACTIONS), span_count: count, input_count: count }),
  ),
  refusals: z.array(
    z.strictObject({
      code: z.string(),
      refusal_count: count,
      examples: z.array(z.string()).describe("a few of the files"),
    }),
  ),
  tokens: z
    .strictObject({ chunk_count: count, token_count: count })
    .nullable()
    .describe("of the accepted; null: not counted"),
  drift: z.strictObject({ baseline: z.string(), dimensions: z.array(driftedSchema) }).nullable(),
  profile: z
    .record(z.string(), z.record(z.string(), count))
    .describe("inputs by source, tier, language, length and acceptance: what a later report is compared with"),
  versions: z.strictObject({ gate: z.string(), pii_rules: z.string(), chunker: z.string(), readers: z.int() }),
});
export type CurateReport = z.infer<typeof curateReportSchema>;
