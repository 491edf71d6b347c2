/** Embedding models on the wire. */
import { z } from "zod";

export const modelStateSchema = z
  .enum(["shadow", "active", "retired"])
  .describe("shadow: filled beside the active one; retired: its vectors are removed");

const timeSchema = z.date().transform((date) => date.toISOString());

/** A registered model. */
export const modelSchema = z.object({
  model_id: z.int(),
  fingerprint: z.string(),
  model_name: z.string(),
  revision: z.string(),
  dimensions: z.int(),
  max_input_tokens: z.int(),
  state: modelStateSchema,
  created_at: timeSchema,
  activated_at: timeSchema.nullable(),
  deactivated_at: timeSchema.nullable(),
});
export type RegisteredModel = z.output<typeof modelSchema>;

/** How far a model has come in one tenant, counted in the store. */
export const modelCoverageSchema = z.object({
  tenant_id: z.string(),
  document_count: z.int().describe("documents with a text of their own"),
  covered_count: z.int().describe("of them with chunks of this model, as they are now"),
  refused_count: z.int().describe("of them with something that could not be embedded"),
  missing_count: z.int(),
  chunk_count: z.int(),
  active_chunk_count: z.int(),
  refusals: z.record(z.string(), z.int()).describe("by code"),
  embedded_documents: z.int(),
  embedded_tokens: z.int().describe("tokens that filling has embedded so far"),
  embed_seconds: z.number(),
  tokens_per_second: z.number().nullable(),
  missing_tokens: z.int().describe("of what is missing, as the model that it has counts them"),
  eta_seconds: z.number().nullable().describe("what is left at the speed so far; null before the first unit"),
  cost: z.number().nullable().describe("embedded_tokens at the price given"),
  cost_left: z.number().nullable().describe("missing_tokens at the price given"),
});
export type ModelCoverage = z.infer<typeof modelCoverageSchema>;

export const modelCoverageListSchema = z.object({
  model_id: z.int(),
  tenants: z.array(modelCoverageSchema).describe("in order of their ids"),
  next: z.string().nullable().describe("tenant to go on after; null at the end"),
});

/** What a change of the active model did. */
export const promotionSchema = z.object({
  model_id: z.int(),
  was_active: z.boolean().describe("it was the active one already: its registry was copied once more"),
  document_count: z.int(),
  missing_count: z.int().describe("documents that lacked vectors before indexing was held"),
  refused_count: z.int(),
  caught_up_count: z.int().describe("documents that were embedded while indexing was held"),
  held_seconds: z.number(),
});
export type Promotion = z.infer<typeof promotionSchema>;
