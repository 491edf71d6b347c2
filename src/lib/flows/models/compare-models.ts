import type { Clock } from "../../base/clock.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { CompareModels, ModelComparison, Overlap } from "../../contract/model.ts";
import { DEFAULT_POLICY } from "../../contract/policy.ts";
import type { Problem } from "../../contract/problem.ts";
import { searchRequestSchema } from "../../contract/search.ts";
import { queryTextRowSchema, selectQueryTexts } from "../../db/queries/reembed.ts";
import type { Scope, Sql } from "../../db/sql.ts";
import type { Embedder } from "../../embed/embedder.ts";
import { rankingChange, type RankingPair } from "../../retrieve/compare-rankings.ts";
import { rankUnion } from "../../retrieve/union.ts";
import { embedQuery } from "../searching/embed-query.ts";
import { findCandidates } from "../searching/find-candidates.ts";
import { type ModelInUse, modelOf, type ModelSource } from "./model-source.ts";
import { ownRows } from "../own-rows.ts";
import { problemOfSql } from "../problem-of.ts";
import { candidateOf } from "../searching/ranking-candidate.ts";
import { rankingOptions } from "../searching/ranking-options.ts";
import { listStoredModels } from "./list-models.ts";
import { measureCoverage } from "./measure-coverage.ts";

interface CompareContext {
  readonly sql: Sql;
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly clock: Clock;
}

/** Queries at a time: a search in the foreground should not notice. */
const QUERIES_AT_ONCE = 2;
/** Words of a text without a title that make a query. */
const QUERY_WORDS = 12;
/** Hits that are looked at for k documents: several chunks of one document are one. */
const HITS_FACTOR = 2;

/** Asks one tenant's memory the same queries under the active model and another one. Writes nothing. */
export async function compareModels(
  context: CompareContext,
  modelId: number,
  request: CompareModels,
): Promise<Result<ModelComparison, Problem>> {
  const active = await context.models.active();
  if (!active.ok) return err({ code: "database_unavailable", retryAfterSeconds: 5 });
  const stored = await listStoredModels(context.sql);
  if (!stored.ok) return stored;
  const found = stored.value.find((each) => each.model_id === modelId);
  if (found === undefined) return err({ code: "not_found" });
  if (found.state === "retired") return err({ code: "conflict", detail: "the model is retired" });
  const tenantId = request.tenant_id;
  const coverage = await measureCoverage(context.sql, { tenantId, modelId });
  if (!coverage.ok) return coverage;
  const queries =
    request.queries === undefined ? await drawQueries(context.sql, active.value, request) : ok(request.queries);
  if (!queries.ok) return queries;
  const models = { before: active.value, after: modelOf(found, active.value.storeVariant) };
  const scope = { tenantId, userId: request.user_id };
  const turns = new Semaphore(QUERIES_AT_ONCE);
  const compare = async (mode: "vector" | "hybrid"): Promise<Result<Overlap, Problem>> => {
    const asked = queries.value.map((query) =>
      turns.run(() => pairOf(context, models, { scope, mode, query, k: request.k })),
    );
    const pairs = await Promise.all(asked);
    const failure = pairs.find((pair) => !pair.ok);
    if (failure?.ok === false) return failure;
    return ok(overlapOf(pairs.flatMap((pair) => (pair.ok ? [pair.value] : []))));
  };
  const vector = await compare("vector");
  if (!vector.ok) return vector;
  const hybrid = await compare("hybrid");
  if (!hybrid.ok) return hybrid;
  return ok({
    model_id: modelId,
    active_model_id: active.value.modelId,
    tenant_id: tenantId,
    k: request.k,
    query_count: queries.value.length,
    drawn: request.queries === undefined,
    document_count: coverage.value.document_count,
    covered_count: coverage.value.covered_count,
    vector: vector.value,
    hybrid: hybrid.value,
  });
}

async function drawQueries(
  sql: Sql,
  { modelId }: ModelInUse,
  { tenant_id: tenantId, user_id: userId, draw }: CompareModels,
): Promise<Result<readonly string[], Problem>> {
  const scope = { tenantId, userId };
  const drawn = selectQueryTexts({ tenantId, modelId }, { userId, rowsMax: draw });
  const rows = await sql.transaction(scope, [drawn], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const texts = (rows.value[0] ?? []).map((row) => queryTextRowSchema.parse(row));
  const queries = texts.map(({ title, text }) =>
    (title === "" ? text : title).split(/\s+/).slice(0, QUERY_WORDS).join(" "),
  );
  return ok(queries.filter((query) => query.trim() !== ""));
}

interface Asked {
  readonly scope: Scope;
  readonly mode: "vector" | "hybrid";
  readonly query: string;
  readonly k: number;
}

async function pairOf(
  context: CompareContext,
  models: { readonly before: ModelInUse; readonly after: ModelInUse },
  asked: Asked,
): Promise<Result<RankingPair, Problem>> {
  const before = await documentsFound(context, models.before, asked);
  if (!before.ok) return before;
  const after = await documentsFound(context, models.after, asked);
  return after.ok ? ok({ before: before.value, after: after.value }) : after;
}

/** The first k documents of a search under one model, as a search ranks them. */
async function documentsFound(
  context: CompareContext,
  model: ModelInUse,
  { scope, mode, query, k }: Asked,
): Promise<Result<readonly string[], Problem>> {
  const request = searchRequestSchema.parse({ query, mode, k: k * HITS_FACTOR });
  const vector = await embedQuery(context, model, request);
  if (!vector.ok) return vector;
  if (vector.value.vector === undefined) return err({ code: "embedder_unavailable", retryAfterSeconds: 5 });
  const found = await findCandidates(context.sql, { request, scope, model, vector: vector.value.vector });
  if (!found.ok) return err(problemOfSql(found.error));
  const own = ownRows("search", scope, found.value.rows);
  if (!own.ok) return own;
  const options = rankingOptions(request, DEFAULT_POLICY.retrieval, context.clock());
  const ranked = rankUnion(own.value.map(candidateOf), options);
  return ok([...new Set(ranked.map(({ candidate }) => candidate.documentKey))].slice(0, k));
}

function overlapOf(pairs: readonly RankingPair[]): Overlap {
  const change = rankingChange(pairs);
  return {
    overlap_mean: change.overlapMean,
    overlap_min: change.overlapMin,
    same_first_share: change.sameFirstShare,
    rank_move_mean: change.rankMoveMean,
    rank_move_max: change.rankMoveMax,
  };
}
