import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { instantSchema } from "./instant.ts";
import { identifierSchema } from "./scope.ts";
import { reasonSchema } from "./verdict.ts";

/**
 * Name of a fact: letters and digits of any script, and `. _ : -` and blanks between them. No slash: series and documents are named after it. In
 * NFC, so that one name has one spelling.
 */
export const factKeySchema = z
  .string()
  .max(LIMITS.factKeyCharactersMax)
  .regex(/^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M} ._:-]*[\p{L}\p{N}\p{M}])?$/u)
  .refine((key) => key === key.normalize("NFC"), "must be in Unicode's form NFC");

const factTimeSchema = instantSchema.describe("since when it is so; left out: now");

const factInputSchema = z.union([
  z.strictObject({
    key: factKeySchema,
    value: z.string().min(1).max(LIMITS.factValueCharactersMax),
    source: identifierSchema.optional(),
    observed_at: factTimeSchema.optional(),
  }),
  z.strictObject({
    key: factKeySchema,
    removed: z.literal(true),
    source: identifierSchema.optional(),
    observed_at: factTimeSchema.optional(),
  }),
]);
export type FactInput = z.infer<typeof factInputSchema>;

/** Body of `PUT /v1/profiles/{user_id}`. */
export const putProfileSchema = z.strictObject({
  facts: z
    .array(factInputSchema)
    .max(LIMITS.profileFactsMax)
    .refine((facts) => new Set(facts.map(({ key }) => key)).size === facts.length, "each key once"),
  replace: z.boolean().default(false).describe("true: facts that are not named are removed"),
});
export type PutProfile = z.infer<typeof putProfileSchema>;

export const putProfileReplySchema = z.object({
  user_id: z.string(),
  version: z.int().min(0).describe("of the profile; also in the ETag"),
  facts: z
    .array(z.object({ key: z.string(), version: z.int(), change: z.enum(["set", "removed", "unchanged"]) }))
    .describe("what was asked for, and what `replace` removed"),
  refused: z.array(z.object({ key: z.string(), reasons: z.array(reasonSchema) })).describe("facts that are not stored"),
  token: z
    .string()
    .optional()
    .describe("`min_token` of a search that has to know the change; left out where nothing changed"),
});
export type PutProfileReply = z.infer<typeof putProfileReplySchema>;

const factSchema = z.object({
  key: z.string(),
  value: z.string(),
  source: z.string(),
  observed_at: z.string(),
  recorded_at: z.string(),
  version: z.int(),
});
export type Fact = z.infer<typeof factSchema>;

export const profileSchema = z.object({
  user_id: z.string(),
  version: z.int(),
  as_of: z.string().nullable(),
  facts: z.array(factSchema),
});

export const profileHistorySchema = z.object({
  user_id: z.string(),
  version: z.int(),
  versions: z.array(factSchema.extend({ removed: z.boolean() })),
  next: z.string().nullable().describe("`after` of the next page"),
});

/** What two times have apart. */
export const profileDiffSchema = z.object({
  user_id: z.string(),
  from: z.string(),
  to: z.string(),
  added: z.array(factSchema),
  changed: z.array(z.object({ before: factSchema, after: factSchema })),
  removed: z.array(factSchema),
});
export type ProfileDiff = z.infer<typeof profileDiffSchema>;
