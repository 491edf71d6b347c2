import type { RetrievalPolicy } from "../../contract/retrieval-policy.ts";
import type { SearchRequest } from "../../contract/search.ts";
import { LEXICAL_WEIGHT_DEFAULT, SMOOTHING_DEFAULT, type UnionOptions } from "../../retrieve/union.ts";

/** What a search asks for, else its tenant's policy. A search as of a time counts ages from then. Pure. */
export function rankingOptions(request: SearchRequest, policy: RetrievalPolicy, nowMs: number): UnionOptions {
  return {
    k: request.k,
    fusion: request.fusion,
    lexicalWeight: LEXICAL_WEIGHT_DEFAULT,
    smoothing: SMOOTHING_DEFAULT,
    // One side alone, or ranks, are asked for to see them as they are.
    conversation: request.mode === "hybrid" && request.fusion === "convex",
    tierWeights: { ...policy.tier_weights, ...request.tier_weights },
    halfLifeDays: request.half_life_days === undefined ? policy.half_life_days : request.half_life_days,
    nowMs: request.as_of === undefined ? nowMs : Date.parse(request.as_of),
    query: request.query,
    diversity: request.diversity ?? policy.diversity,
  };
}
