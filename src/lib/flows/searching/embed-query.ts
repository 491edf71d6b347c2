import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { chunkText } from "../../chunk/chunk-text.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SearchReply, SearchRequest } from "../../contract/search.ts";
import type { EmbedError, Embedder } from "../../embed/embedder.ts";
import type { ModelInUse, ModelSource } from "../models/model-source.ts";

/** The query as a vector of the active model, or none with the reason. */
export interface QueryVector {
  readonly vector: readonly number[] | undefined;
  readonly degraded: SearchReply["degraded"];
  readonly tookMs: number;
}

/** Characters of a query that surely fits every model: no tokenizer makes more tokens than characters. */
const SURELY_FITTING_LENGTH = 120;
/** Special tokens around one input. */
const SPECIAL_TOKENS_MAX = 4;

interface EmbedQueryContext {
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly clock: Clock;
}

/**
 * Embeds the query with the active model and no other: the embedder refuses when it runs a different fingerprint. In hybrid mode a
 * missing vector degrades the search; in vector mode it is an error.
 */
export async function embedQuery(
  context: EmbedQueryContext,
  model: ModelInUse,
  request: SearchRequest,
): Promise<Result<QueryVector, Problem>> {
  if (request.mode === "lexical") return ok({ vector: undefined, degraded: [], tookMs: 0 });
  const startedMs = context.clock();
  const shortened = await fittingQuery(context, model, model.queryPrefix + request.query);
  const reply = await context.embedder.embed([shortened.text], { lane: "interactive", fingerprint: model.fingerprint });
  const tookMs = context.clock() - startedMs;
  const vector = reply.ok ? reply.value[0] : undefined;
  if (vector?.length === model.dimensions) {
    return ok({ vector: Array.from(vector), degraded: shortened.isWhole ? [] : ["query_shortened"], tookMs });
  }
  const reason = reply.ok ? "embedder_mismatch" : degradationOf(reply.error);
  if (request.mode === "hybrid") return ok({ vector: undefined, degraded: [reason], tookMs });
  if (reason === "query_refused")
    return err({ code: "body_invalid", pointer: "/query", detail: "the embedding model refuses this query" });
  return err({ code: reason, retryAfterSeconds: 5 });
}

function degradationOf(error: EmbedError): "embedder_unavailable" | "embedder_mismatch" | "query_refused" {
  if (error.code === "embedder_mismatch") return "embedder_mismatch";
  return error.code === "text_refused" ? "query_refused" : "embedder_unavailable";
}

// A query longer than the model takes is cut at a sentence or word end, since the server never truncates by itself.
async function fittingQuery(
  context: EmbedQueryContext,
  model: ModelInUse,
  query: string,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  if (query.length <= SURELY_FITTING_LENGTH) return { text: query, isWhole: true };
  const counter = await context.models.tokenCounter(model.fingerprint);
  const maxTokens = model.maxInputTokens - SPECIAL_TOKENS_MAX;
  if (!counter.ok || counter.value.count(query) <= maxTokens) return { text: query, isWhole: true };
  const first = chunkText(query, counter.value, { maxTokens, overlapTokens: 0 })[0];
  return { text: query.slice(first?.startOffset ?? 0, first?.endOffset ?? SURELY_FITTING_LENGTH), isWhole: false };
}
