import { z } from "zod";
import { tierSchema } from "./scope.ts";

/** Factor of a tier's scores: beyond it nothing else would be found. */
const TIER_WEIGHT_MAX = 10;

const tierWeightsSchema = z
  .partialRecord(tierSchema, z.number().min(0).max(TIER_WEIGHT_MAX))
  .describe("factor of each tier's scores: 1 where none is named, 0 leaves the tier out");
const halfLifeSchema = z
  .number()
  .positive()
  .max(36_500)
  .nullable()
  .describe("age at which the recency bonus has halved; null: age counts for nothing");
const diversitySchema = z
  .number()
  .min(0)
  .max(1)
  .describe("0: hits stand as they score; towards 1: each further hit of a document or session counts less");

/** How hits of all tiers become one list, as a tenant wants it where a search says nothing. */
export const retrievalPolicySchema = z.strictObject({
  tier_weights: tierWeightsSchema.default({}),
  half_life_days: halfLifeSchema.default(null),
  diversity: diversitySchema.default(0),
});
export type RetrievalPolicy = z.infer<typeof retrievalPolicySchema>;

/** The same as a search may say it for itself. */
export const retrievalRequestFields = {
  tier_weights: tierWeightsSchema.optional(),
  half_life_days: halfLifeSchema.optional(),
  diversity: diversitySchema.optional(),
};
