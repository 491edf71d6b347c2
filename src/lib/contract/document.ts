import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { identifierSchema, tierSchema, userIdSchema } from "./scope.ts";

const metadataValueSchema = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.union([z.string(), z.number(), z.boolean()])),
]);

/** Free data of a document; single keys can be filtered on. */
export const metadataSchema = z
  .record(z.string().min(1).max(100), metadataValueSchema)
  .refine(
    (metadata) => Object.keys(metadata).length <= LIMITS.metadataKeysMax,
    `at most ${LIMITS.metadataKeysMax} keys`,
  );
export type Metadata = z.infer<typeof metadataSchema>;

/** One document as a client sends it. Text limits are the gate's business, so that they end as verdicts, not as a refused request. */
export const documentInputSchema = z.strictObject({
  id: identifierSchema,
  text: z.string(),
  title: z.string().max(LIMITS.titleCharactersMax).optional(),
  source: identifierSchema.optional(),
  tier: tierSchema.optional(),
  user_id: userIdSchema.optional(),
  occurred_at: z.iso.datetime({ offset: true }).optional(),
  metadata: metadataSchema.optional(),
});
export type DocumentInput = z.infer<typeof documentInputSchema>;
