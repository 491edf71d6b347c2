import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import { type Neighbour, searchRequestSchema, type SearchReply, type SearchRequest } from "../../contract/search.ts";
import type { CandidateRow } from "../../db/queries/search.ts";
import type { Sql } from "../../db/sql.ts";
import type { Embedder } from "../../embed/embedder.ts";
import type { RankedHit } from "../../retrieve/candidate.ts";
import { rankUnion } from "../../retrieve/union.ts";
import { awaitWrites } from "./await-writes.ts";
import { embedQuery, type QueryVector } from "./embed-query.ts";
import type { ModelInUse, ModelSource } from "../models/model-source.ts";
import { ownRows } from "../own-rows.ts";
import { findNeighbours, type Neighbours } from "./find-neighbours.ts";
import { candidateOf, type SearchCandidate } from "./ranking-candidate.ts";
import { readInForce } from "./read-in-force.ts";
import { rankingOptions } from "./ranking-options.ts";
import { hitOf } from "./search-hit.ts";

export interface SearchContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly clock: Clock;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Is told what each stage took, milliseconds, and what the reply lacks. */
  readonly noteSearch?: (search: { readonly timings: Timings; readonly degraded: SearchReply["degraded"] }) => void;
}

type Timings = NonNullable<SearchReply["explain"]>["timings_ms"];

/**
 * Answers `POST /v1/search`: waits for the caller's own writes, embeds the query, reads candidates of all tiers in one round trip and
 * ranks them; neighbours of events are a second round trip, by keys, where they are asked for. Tenant and user come from the principal. Without the
 * embedder the words alone are searched, and the reply says so.
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
  const read = await readInForce(context, { request, scope, believed: active.value, vector: vector.value });
  if (!read.ok) return read;
  const { model, found } = read.value;
  const foundMs = context.clock();
  const own = ownRows("search", scope, found.rows);
  if (!own.ok) return own;

  const options = rankingOptions(request, principal.policy.retrieval, foundMs);
  const ranked = rankUnion(own.value.map(candidateOf), options);
  const rankedMs = context.clock();
  const neighbours =
    request.neighbours === 0
      ? undefined
      : await findNeighbours(context.sql, {
          scope,
          modelId: model.modelId,
          hits: ranked,
          reach: request.neighbours,
          asOf: request.as_of,
        });
  if (neighbours?.ok === false) return neighbours;
  const timings = {
    wait: writes.value.waitedMs,
    embed: read.value.vector.tookMs,
    database: read.value.databaseMs,
    rank: rankedMs - foundMs,
    neighbours: context.clock() - rankedMs,
  };
  context.noteSearch?.({ timings, degraded: read.value.vector.degraded });
  return ok(
    replyOf({
      request,
      model,
      vector: read.value.vector,
      found,
      ranked,
      neighbours: neighbours?.value,
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
  readonly neighbours: Neighbours | undefined;
  readonly caughtUp: boolean;
  readonly timings: Timings;
}

// Of an event an empty list says that it stands alone.
function neighboursOf({ neighbours }: Outcome, { key, tier }: SearchCandidate): readonly Neighbour[] | undefined {
  return tier === "event" && neighbours !== undefined ? (neighbours.get(key) ?? []) : undefined;
}

function replyOf(outcome: Outcome): SearchReply {
  const { request, found } = outcome;
  const reply: SearchReply = {
    hits: outcome.ranked.map((hit) => hitOf(hit, neighboursOf(outcome, hit.candidate), request.explain)),
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
