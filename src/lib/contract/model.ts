/** Embedding models on the wire. */
import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { tenantIdSchema } from "./scope.ts";

export const modelStateSchema = z
  .enum(["shadow", "active", "retired"])
  .describe("shadow: filled beside the active one; retired: its vectors are removed");

/** A registered model. */
export const modelSchema = z.object({
  model_id: z.int(),
  fingerprint: z.string(),
  model_name: z.string(),
  revision: z.string(),
  dimensions: z.int(),
  max_input_tokens: z.int(),
  state: modelStateSchema,
  created_at: z.iso.datetime(),
  activated_at: z.iso.datetime().nullable(),
  deactivated_at: z.iso.datetime().nullable().describe("when it last stopped being the active one"),
});
export type RegisteredModel = z.infer<typeof modelSchema>;

export const modelListSchema = z.object({ models: z.array(modelSchema) });

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
  embedded_chunks: z.int(),
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

/** Queries of one comparison: each is embedded and searched four times. */
export const COMPARED_QUERIES_MAX = 200;

/** Body of a comparison of a model with the active one. */
export const compareModelsSchema = z.strictObject({
  tenant_id: tenantIdSchema,
  user_id: z.string().max(LIMITS.identifierCharactersMax).default("").describe("also this user's memory"),
  k: z.int().min(1).max(50).default(10),
  queries: z
    .array(z.string().min(1).max(LIMITS.queryCharactersMax))
    .min(1)
    .max(COMPARED_QUERIES_MAX)
    .optional()
    .describe("left out: drawn from titles and texts of the tenant, the same ones each time"),
  draw: z.int().min(1).max(COMPARED_QUERIES_MAX).default(50).describe("how many are drawn"),
});
export type CompareModels = z.infer<typeof compareModelsSchema>;

const overlapSchema = z.object({
  overlap_mean: z.number().describe("share of the first k documents that both models find"),
  overlap_min: z.number(),
  same_first_share: z.number().describe("share of queries whose first document is the same"),
  rank_move_mean: z.number().describe("places by which documents that both find moved"),
  rank_move_max: z.int(),
});
export type Overlap = z.infer<typeof overlapSchema>;

/** How two models answer the same queries. Numbers only: no text of a tenant leaves by it. */
export const modelComparisonSchema = z.object({
  model_id: z.int(),
  active_model_id: z.int(),
  tenant_id: z.string(),
  k: z.int(),
  query_count: z.int(),
  drawn: z.boolean(),
  document_count: z.int(),
  covered_count: z.int(),
  vector: overlapSchema.describe("by vectors alone"),
  hybrid: overlapSchema.describe("as a search answers"),
});
export type ModelComparison = z.infer<typeof modelComparisonSchema>;
