import { ok, type Result } from "../../base/result.ts";
import type { SearchRequest } from "../../contract/search.ts";
import {
  type CandidateRow,
  candidateRowSchema,
  exactCandidates,
  scopeSizeRowSchema,
  selectScopeSize,
} from "../../db/queries/search.ts";
import { type ModelRow, modelRowSchema, SELECT_MODEL_IN_FORCE } from "../../db/queries/models.ts";
import type { CandidateFilters, CandidateSearch } from "../../db/queries/search-parts.ts";
import { indexedCandidates, searchSettings } from "../../db/queries/search-indexed.ts";
import type { Scope, Sql, SqlError, Statement } from "../../db/sql.ts";
import { BM25_B, BM25_K1 } from "../../lexical/bm25.ts";
import { packedQueries, queryTermsOf } from "../../lexical/query-terms.ts";
import type { ModelInUse } from "../models/model-source.ts";

/** Candidates of each side and tier: what recall and normalisation need, for small and for large k. */
const CANDIDATES_MIN = 50;
const CANDIDATES_MAX = 100;
/** Chunks of a scope up to which every row is looked at: 60 ms in native Postgres, and no index has to be kept. */
export const EXACT_ROWS_MAX = 20_000;
/** A search that takes longer than this helps nobody, milliseconds. */
const SEARCH_TIMEOUT_MS = 15_000;

export interface CandidateRequest {
  readonly request: SearchRequest;
  readonly scope: Scope;
  readonly model: ModelInUse;
  readonly vector: readonly number[] | undefined;
}

export interface Found {
  /** The model that was active when the rows were read; undefined where there was none, or nothing was read. */
  readonly modelInForce: ModelRow | undefined;
  readonly rows: readonly CandidateRow[];
  readonly termCount: number;
  readonly scopeChunkCount: number;
  readonly path: "exact" | "indexed";
}

/** Reads the candidates of a search under one model in one round trip, and which model is active. Both scores stand in every row, whichever side found it. */
export async function findCandidates(sql: Sql, input: CandidateRequest): Promise<Result<Found, SqlError>> {
  const { request, scope, model, vector } = input;
  const terms = request.mode === "vector" ? [] : queryTermsOf(request.query);
  const candidateSearch: CandidateSearch = {
    variant: model.storeVariant,
    tenantId: scope.tenantId,
    userId: scope.userId,
    tiers: request.tiers ?? [],
    modelId: model.modelId,
    dimensions: model.dimensions,
    queryVector: vector,
    terms,
    packs: packedQueries(terms),
    bm25: { k1: BM25_K1, b: BM25_B },
    filters: filtersOf(request),
    candidatesMax: Math.min(CANDIDATES_MAX, Math.max(CANDIDATES_MIN, 2 * request.k)),
    exactRowsMax: EXACT_ROWS_MAX,
  };
  if (vector === undefined && terms.length === 0)
    return ok({ modelInForce: undefined, rows: [], termCount: 0, scopeChunkCount: 0, path: "exact" });
  const read = await sql.transaction(scope, statementsOf(candidateSearch), {
    readOnly: true,
    timeoutMs: SEARCH_TIMEOUT_MS,
  });
  if (!read.ok) return read;
  const [, inForce = [], sizes = [], ...found] = read.value;
  const modelInForce = modelRowSchema.optional().parse(inForce[0]);
  const scopeChunkCount = sizes[0] === undefined ? 0 : scopeSizeRowSchema.parse(sizes[0]).chunk_count;
  const rows = found.flatMap((part) => part.filter((row) => "path" in row)).map((row) => candidateRowSchema.parse(row));
  return ok({ modelInForce, rows, termCount: terms.length, scopeChunkCount, path: rows[0]?.path ?? "exact" });
}

// The size of the scope decides inside the database which of the two candidate statements reads any row. Without the vector extension
// there are no indexes, and every scope is searched exactly.
function statementsOf(search: CandidateSearch): Statement[] {
  const before = [searchSettings(search), SELECT_MODEL_IN_FORCE, selectScopeSize(search)];
  if (search.variant === "jsonb")
    return [...before, exactCandidates({ ...search, exactRowsMax: Number.MAX_SAFE_INTEGER })];
  return [...before, exactCandidates(search), indexedCandidates(search)];
}

function filtersOf(request: SearchRequest): CandidateFilters {
  const filters = request.filters ?? {};
  return {
    ...(filters.sources === undefined ? {} : { sources: filters.sources }),
    ...(filters.document_ids === undefined ? {} : { documentIds: filters.document_ids }),
    ...(filters.occurred_from === undefined ? {} : { occurredFrom: filters.occurred_from }),
    ...(filters.occurred_before === undefined ? {} : { occurredBefore: filters.occurred_before }),
    ...(filters.metadata === undefined ? {} : { metadata: filters.metadata }),
    ...(request.as_of === undefined ? {} : { asOf: request.as_of }),
  };
}
