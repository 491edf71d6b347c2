import type { R2Bucket } from "@cloudflare/workers-types";
import { receiptId } from "../base/document-uid.ts";
import type { Clock } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Principal } from "../contract/principal.ts";
import type { Problem } from "../contract/problem.ts";
import { tierSchema } from "../contract/scope.ts";
import { searchRequestSchema, type SearchHit, type SearchReply, type SearchRequest } from "../contract/search.ts";
import { metadataSchema } from "../contract/document.ts";
import type { CandidateRow } from "../db/queries/search.ts";
import type { Sql } from "../db/sql.ts";
import type { Embedder } from "../embed/embedder.ts";
import type { Candidate, RankedHit } from "../retrieve/candidate.ts";
import { LEXICAL_WEIGHT_DEFAULT, rankUnion, SMOOTHING_DEFAULT } from "../retrieve/union.ts";
import { awaitWrites } from "./await-writes.ts";
import { embedQuery, type QueryVector } from "./embed-query.ts";
import { findCandidates } from "./find-candidates.ts";
import type { ModelInUse, ModelSource } from "./model-source.ts";
import { ownRows } from "./own-rows.ts";
import { problemOfSql } from "./problem-of.ts";
import { storedVector } from "./stored-vector.ts";

export interface SearchContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly clock: Clock;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** Tiers weigh the same until a measurement says otherwise. */
const TIER_WEIGHTS: Readonly<Record<string, number>> = {};

interface SearchCandidate extends Candidate {
  readonly row: CandidateRow;
}

/**
 * Answers `POST /v1/search`: waits for the caller's own writes, embeds the query, reads candidates of all tiers in one round trip and
 * ranks them. Tenant and user come from the principal. Without the embedder the words alone are searched, and the reply says so.
 */
export async function search(
  context: SearchContext,
  principal: Principal,
  body: unknown,
): Promise<Result<SearchReply, Problem>> {
  const parsed = searchRequestSchema.safeParse(body);
  if (!parsed.success) return err(invalidBody(parsed.error.issues[0]));
  const request = parsed.data;
  const userId = userOf(principal, request);
  if (userId === undefined) return err({ code: "user_forbidden" });
  const scope = { tenantId: principal.tenantId, userId };
  const active = await context.models.active();
  if (!active.ok) return err(active.error.code === "no_active_model" ? { code: "no_active_model" } : problemOfModel());

  const [writes, vector] = await Promise.all([
    awaitWrites(context, { tenantId: principal.tenantId, tokens: tokensOf(request), waitMs: request.wait_ms }),
    embedQuery(context, active.value, request),
  ]);
  if (!writes.ok) return writes;
  if (!vector.ok) return vector;
  const readyMs = context.clock();
  const found = await findCandidates(context.sql, {
    request,
    scope,
    model: active.value,
    vector: vector.value.vector,
  });
  if (!found.ok) return err(problemOfSql(found.error));
  const foundMs = context.clock();
  const own = ownRows("search", scope, found.value.rows);
  if (!own.ok) return own;

  const ranked = rank(found.value.rows, request, foundMs);
  const timings = {
    wait: writes.value.waitedMs,
    embed: vector.value.tookMs,
    database: foundMs - readyMs,
    rank: context.clock() - foundMs,
  };
  return ok(
    replyOf({
      request,
      model: active.value,
      vector: vector.value,
      found: found.value,
      ranked,
      caughtUp: writes.value.caughtUp,
      timings,
    }),
  );
}

function problemOfModel(): Problem {
  return { code: "database_unavailable", retryAfterSeconds: 5 };
}

function invalidBody(issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): Problem {
  return {
    code: "body_invalid",
    pointer: `/${(issue?.path ?? []).map(String).join("/")}`,
    detail: issue?.message ?? "",
  };
}

// A key bound to a user searches that user's memory and what the tenant shares; it cannot name another user.
function userOf(principal: Principal, request: SearchRequest): string | undefined {
  if (principal.userId === "") return request.user_id ?? "";
  return request.user_id === undefined || request.user_id === principal.userId ? principal.userId : undefined;
}

function tokensOf(request: SearchRequest): readonly string[] {
  if (request.min_token === undefined) return [];
  return typeof request.min_token === "string" ? [request.min_token] : request.min_token;
}

function rank(rows: readonly CandidateRow[], request: SearchRequest, nowMs: number): RankedHit<SearchCandidate>[] {
  const candidates = rows.map((row) => ({
    key: `${row.document_uid}/${row.chunk_index}`,
    tier: row.tier,
    documentKey: row.document_uid,
    startOffset: row.start_offset,
    endOffset: row.end_offset,
    text: row.text,
    vectorScore: row.vector_score,
    lexicalScore: row.lexical_score,
    occurredAtMs: row.occurred_at_ms,
    vector: row.embedding === null ? null : storedVector(row.embedding),
    row,
  }));
  return rankUnion(candidates, {
    k: request.k,
    fusion: request.fusion,
    lexicalWeight: LEXICAL_WEIGHT_DEFAULT,
    smoothing: SMOOTHING_DEFAULT,
    tierWeights: TIER_WEIGHTS,
    halfLifeDays: request.half_life_days ?? null,
    nowMs,
    query: request.query,
    diversity: 0,
  });
}

function hitOf(hit: RankedHit<SearchCandidate>, explain: boolean): SearchHit {
  const { row } = hit.candidate;
  const metadata = metadataSchema.safeParse(row.metadata);
  return {
    tier: tierSchema.parse(row.tier),
    score: hit.score,
    text: row.text,
    document_id: row.document_id,
    user_id: row.user_id === "" ? null : row.user_id,
    source: row.source === "" ? null : row.source,
    title: row.title === "" ? null : row.title,
    metadata: metadata.success ? metadata.data : {},
    occurred_at: row.occurred_at_ms === null ? null : new Date(row.occurred_at_ms).toISOString(),
    chunk_index: row.chunk_index,
    start_offset: row.start_offset,
    end_offset: row.end_offset,
    receipt: receiptId(row.wal_id, row.document_index),
    ...(explain ? { score_parts: scorePartsOf(hit) } : {}),
  };
}

function scorePartsOf(hit: RankedHit<SearchCandidate>): NonNullable<SearchHit["score_parts"]> {
  const { parts, candidate } = hit;
  return {
    vector: candidate.vectorScore,
    lexical: candidate.lexicalScore,
    vector_normalised: parts.vectorNormalised,
    lexical_normalised: parts.lexicalNormalised,
    vector_rank: parts.vectorRank,
    lexical_rank: parts.lexicalRank,
    fused: parts.fused,
    smoothed: parts.smoothed,
    tier_weight: parts.tierWeight,
    recency: parts.recency,
    exact_match: parts.exactMatch,
  };
}

interface Outcome {
  readonly request: SearchRequest;
  readonly model: ModelInUse;
  readonly vector: QueryVector;
  readonly found: {
    readonly rows: readonly CandidateRow[];
    readonly termCount: number;
    readonly scopeChunkCount: number;
    readonly path: "exact" | "indexed";
  };
  readonly ranked: readonly RankedHit<SearchCandidate>[];
  readonly caughtUp: boolean;
  readonly timings: { readonly wait: number; readonly embed: number; readonly database: number; readonly rank: number };
}

function replyOf(outcome: Outcome): SearchReply {
  const { request, found } = outcome;
  const reply: SearchReply = {
    hits: outcome.ranked.map((hit) => hitOf(hit, request.explain)),
    mode: request.mode,
    fusion: request.fusion,
    degraded: [...outcome.vector.degraded],
    caught_up: outcome.caughtUp,
    path: found.path,
  };
  if (!request.explain) return reply;
  const explain = {
    fingerprint: outcome.model.fingerprint,
    scope_chunk_count: found.scopeChunkCount,
    rows_examined: found.rows[0]?.rows_examined ?? 0,
    candidate_count: found.rows.length,
    query_terms: found.termCount,
    timings_ms: outcome.timings,
  };
  return { ...reply, explain };
}
