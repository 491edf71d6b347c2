import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SearchRequest } from "../../contract/search.ts";
import type { Scope, Sql } from "../../db/sql.ts";
import type { Embedder } from "../../embed/embedder.ts";
import { embedQuery, type QueryVector } from "./embed-query.ts";
import { findCandidates, type Found } from "./find-candidates.ts";
import { type ModelInUse, modelOf, type ModelSource } from "../models/model-source.ts";
import { problemOfSql } from "../problem-of.ts";

interface ReadContext {
  readonly sql: Sql;
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly clock: Clock;
}

export interface ReadInForce {
  readonly model: ModelInUse;
  readonly vector: QueryVector;
  readonly found: Found;
  /** Of the reads that count and those that did not, milliseconds. */
  readonly databaseMs: number;
}

/** Reads of one search: one in the ordinary case, two right after the active model changed; more changes in a second are no way to work. */
const READS_MAX = 3;

/**
 * Candidates under the model that is active in the tenant's own database. What the isolate believes is tried first; the same round trip says whether it
 * still holds, and if not the query is embedded with the other model and asked again. So query and rows are always of one fingerprint, and of the one
 * that new documents have. Errors: those of `embedQuery`; `database_unavailable`.
 */
export async function readInForce(
  context: ReadContext,
  asked: {
    readonly request: SearchRequest;
    readonly scope: Scope;
    readonly believed: ModelInUse;
    readonly vector: QueryVector;
  },
): Promise<Result<ReadInForce, Problem>> {
  const { request, scope } = asked;
  let { believed: model, vector } = asked;
  let databaseMs = 0;
  for (let reads = 1; reads <= READS_MAX; reads += 1) {
    const startedMs = context.clock();
    const found = await findCandidates(context.sql, { request, scope, model, vector: vector.vector });
    if (!found.ok) return err(problemOfSql(found.error));
    databaseMs += context.clock() - startedMs;
    const { modelInForce } = found.value;
    if (modelInForce === undefined || modelInForce.model_id === model.modelId)
      return ok({ model, vector, found: found.value, databaseMs });
    model = modelOf(modelInForce, model.storeVariant);
    const again = await embedQuery(context, model, request);
    if (!again.ok) return again;
    vector = { ...again.value, tookMs: vector.tookMs + again.value.tookMs };
  }
  return err({ code: "database_unavailable", retryAfterSeconds: 1 });
}
