import { z } from "zod";
import { retrievalRequestFields } from "./retrieval-policy.ts";
import { LIMITS } from "../base/limits.ts";
import { metadataSchema } from "./document.ts";
import { instantSchema } from "./instant.ts";
import { identifierSchema, tierSchema, userIdSchema } from "./scope.ts";

const metadataFilterSchema = z
  .record(z.string().min(1).max(100), z.union([z.string(), z.number(), z.boolean()]))
  .refine((filter) => Object.keys(filter).length <= 8, "at most 8 keys");

/** Narrows a search. All parts must hold. */
export const searchFiltersSchema = z.strictObject({
  sources: z.array(identifierSchema).min(1).max(50).optional().describe("documents of one of these sources"),
  document_ids: z.array(identifierSchema).min(1).max(100).optional(),
  occurred_from: instantSchema.optional().describe("at or after this time; drops what has no time"),
  occurred_before: instantSchema.optional().describe("before this time; drops what has no time"),
  metadata: metadataFilterSchema.optional().describe("each key holds this value, or a list with it"),
});

export const SEARCH_MODES = ["hybrid", "vector", "lexical"] as const;
export const FUSIONS = ["convex", "rrf"] as const;

const writeTokenSchema = z.string().min(1).max(64);

/** Body of `POST /v1/search`. */
export const searchRequestSchema = z.strictObject({
  query: z
    .string()
    .max(LIMITS.queryCharactersMax)
    .refine((query) => query.trim() !== "", "must not be blank")
    .refine((query) => query.isWellFormed() && !query.includes("\u0000"), "must be well-formed text without NUL"),
  user_id: userIdSchema.optional().describe("also search this user's memory; without it only what the tenant shares"),
  tiers: z.array(tierSchema).min(1).max(5).optional(),
  k: z.int().min(1).max(LIMITS.searchResultsMax).default(10),
  filters: searchFiltersSchema.optional(),
  mode: z.enum(SEARCH_MODES).default("hybrid"),
  fusion: z.enum(FUSIONS).default("convex"),
  ...retrievalRequestFields,
  as_of: instantSchema
    .optional()
    .describe("what was known and valid at this time; also what ages and words like 'yesterday' count from"),
  neighbours: z
    .int()
    .min(0)
    .max(LIMITS.neighboursMax)
    .default(0)
    .describe("turns of the session before and after each event that is found, on either side"),
  min_token: z
    .union([writeTokenSchema, z.array(writeTokenSchema).min(1).max(LIMITS.searchTokensMax)])
    .optional()
    .describe("tokens of own writes that the results must include"),
  wait_ms: z.int().min(0).max(LIMITS.searchWaitMsMax).default(5_000).describe("how long to wait for them"),
  explain: z.boolean().default(false),
});
export type SearchRequest = z.infer<typeof searchRequestSchema>;

/** What a hit's score is made of. */
export const scorePartsSchema = z.object({
  vector: z.number().nullable().describe("cosine of query and chunk"),
  lexical: z.number().nullable().describe("BM25"),
  vector_normalised: z.number(),
  lexical_normalised: z.number(),
  vector_rank: z.int().nullable(),
  lexical_rank: z.int().nullable(),
  fused: z.number(),
  smoothed: z.number().describe("fused, moved towards its neighbours in meaning"),
  tier_weight: z.number(),
  recency: z.number(),
  exact_match: z.number(),
  speaker: z.number().describe("the query names who said it"),
  next_turn: z.number().describe("share of the score of the turn after it"),
  session: z.number().describe("share of what the best turns of its session score"),
  time_window: z.number().describe("it is from the time that the query speaks of"),
});

/** A turn beside an event that was found, as context. It need not fit the filters of the search, but always its scope and time. */
export const neighbourSchema = z.object({
  seq: z.int(),
  document_id: z.string(),
  speaker: z.string().nullable(),
  text: z.string().describe("of a long turn its first chunk"),
  is_whole: z.boolean(),
  occurred_at: z.iso.datetime().nullable(),
});
export type Neighbour = z.infer<typeof neighbourSchema>;

/** A worse candidate that a hit stands for. */
export const collapsedSchema = z.object({
  tier: tierSchema,
  document_id: z.string(),
  chunk_index: z.int(),
  reason: z.enum(["same_text", "overlap", "summary"]),
});

export const searchHitSchema = z.object({
  tier: tierSchema,
  score: z.number(),
  text: z.string(),
  document_id: z.string(),
  user_id: z.string().nullable(),
  source: z.string().nullable(),
  title: z.string().nullable(),
  metadata: metadataSchema,
  occurred_at: z.iso.datetime().nullable(),
  chunk_index: z.int(),
  start_offset: z.int().describe("UTF-16 units in the document's text"),
  end_offset: z.int(),
  receipt: z.string(),
  neighbours: z
    .array(neighbourSchema)
    .optional()
    .describe("of an event, in order, without itself; only where asked for"),
  score_parts: scorePartsSchema.optional(),
  collapsed: z.array(collapsedSchema).optional().describe("with explain: what this hit stands for"),
});
export type SearchHit = z.infer<typeof searchHitSchema>;

/** What a search did without. */
export const DEGRADATIONS = ["embedder_unavailable", "embedder_mismatch", "query_shortened", "query_refused"] as const;

/** Reply of `POST /v1/search`. */
export const searchReplySchema = z.object({
  hits: z.array(searchHitSchema),
  mode: z.enum(SEARCH_MODES),
  fusion: z.enum(FUSIONS),
  degraded: z.array(z.enum(DEGRADATIONS)),
  caught_up: z.boolean().describe("every write named in min_token is in what was searched"),
  path: z.enum(["exact", "indexed"]),
  explain: z
    .object({
      fingerprint: z.string(),
      scope_chunk_count: z.int(),
      rows_examined: z.int(),
      candidate_count: z.int(),
      query_terms: z.int(),
      timings_ms: z.object({
        wait: z.number(),
        embed: z.number(),
        database: z.number(),
        rank: z.number(),
        neighbours: z.number(),
      }),
    })
    .optional(),
});
export type SearchReply = z.infer<typeof searchReplySchema>;
