import { z } from "zod";
import { batchTagSchema } from "./scope.ts";

export const batchStateSchema = z.enum(["queued", "running", "done", "done_with_failures"]);
export type BatchState = z.infer<typeof batchStateSchema>;

const countSchema = z.int().min(0);

/** Inputs of a batch by how they ended. */
export const outcomeCountsSchema = z.object({
  indexed: countSchema,
  unchanged: countSchema,
  duplicate: countSchema,
  quarantined: countSchema,
  rejected: countSchema,
  failed: countSchema,
});
export type OutcomeCounts = z.infer<typeof outcomeCountsSchema>;

/** Reply of `GET /v1/batches/{tag}`. Every number is a count of rows in the store; pending ones are counted in R2. */
export const batchStatusSchema = z.object({
  batch_tag: batchTagSchema,
  state: batchStateSchema,
  document_count: countSchema.describe("inputs of all requests of the batch"),
  pending_count: countSchema.describe("inputs that have not ended yet"),
  outcomes: outcomeCountsSchema,
  chunk_count: countSchema,
  chunk_reused_count: countSchema,
  chunk_failed_count: countSchema,
  token_count: countSchema,
  started_at: z.iso.datetime().nullable(),
  last_applied_at: z.iso.datetime().nullable(),
  documents_per_second: z.number().nullable(),
  eta_seconds: z.number().nullable(),
  report_url: z.string().nullable().describe("set when the batch is done"),
});
export type BatchStatus = z.infer<typeof batchStatusSchema>;

/** Content of `ingest_reports/<tenant>/<batch_tag>.json`. Built from the store alone, so that building it again gives the same bytes. */
export const ingestReportSchema = z.object({
  schema_version: z.literal(2),
  tenant_id: z.string(),
  batch_tag: batchTagSchema,
  state: batchStateSchema,
  document_count: countSchema,
  outcomes: outcomeCountsSchema,
  reasons: z.array(z.object({ outcome: z.string(), code: z.string(), input_count: countSchema })),
  sources: z
    .array(
      z.object({
        source: z.string(),
        tier: z.string(),
        document_count: countSchema,
        outcomes: outcomeCountsSchema,
        relaxed_count: countSchema.describe("let in by relaxed thresholds"),
        fallback_fraction: z.number().describe("relaxed inputs as a share of those let in"),
        chunk_count: countSchema,
        token_count: countSchema,
      }),
    )
    .describe("by source and tier; at most 1000"),
  relaxation: z
    .array(z.object({ step: countSchema, input_count: countSchema }))
    .describe("inputs by the step that let them in"),
  pii: z.array(z.object({ type: z.string(), span_count: countSchema, input_count: countSchema })),
  languages: z
    .array(z.object({ language: z.string(), input_count: countSchema }))
    .describe("'' where it could not be told"),
  lengths: z
    .array(z.object({ characters_from: countSchema, characters_below: countSchema, input_count: countSchema }))
    .describe("inputs by the length of their text, in powers of two"),
  versions: z.array(
    z.object({
      gate_version: z.string(),
      pii_version: z.string(),
      policy_version: countSchema,
      input_count: countSchema,
    }),
  ),
  models: z.array(z.object({ fingerprint: z.string(), model_name: z.string(), dimensions: z.int() })),
  chunk_count: countSchema,
  chunk_reused_count: countSchema,
  chunk_failed_count: countSchema,
  token_count: countSchema,
  started_at: z.iso.datetime().nullable(),
  last_applied_at: z.iso.datetime().nullable(),
  duration_seconds: z.number().nullable(),
});
export type IngestReport = z.infer<typeof ingestReportSchema>;
