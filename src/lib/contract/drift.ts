import { z } from "zod";
import { batchTagSchema } from "./scope.ts";

const dimensionSchema = z.object({
  dimension: z.enum(["source", "tier", "language", "length", "acceptance"]),
  verdict: z
    .enum(["steady", "drifted", "too_few"])
    .describe("too_few: a side has fewer inputs than the policy asks for"),
  psi: z.number().describe("population stability index"),
  psi_by_chance: z.number().describe("index that two samples of one source exceed once in a thousand"),
  js: z.number().describe("Jensen-Shannon divergence, bits"),
  changes: z.array(z.object({ category: z.string(), share_before: z.number(), share_now: z.number() })),
});

/** A batch beside what came before it. `dimensions` is empty where nothing did. */
const comparisonSchema = z.object({
  batch_tags: z.array(z.string()).describe("what it is compared with, latest first"),
  document_count: z.int().describe("inputs of those"),
  dimensions: z.array(dimensionSchema),
});

/** Reply of `GET /v1/batches/{tag}/drift`. */
export const driftReportSchema = z.object({
  batch_tag: batchTagSchema,
  document_count: z.int(),
  has_drifted: z.boolean(),
  previous: comparisonSchema.describe("the last batch before that is large enough"),
  baseline: comparisonSchema.describe("the last batches before, together"),
});
export type DriftReport = z.infer<typeof driftReportSchema>;
