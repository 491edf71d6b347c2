import { sha256HexSync } from "../../base/hash.ts";
import { ok, type Result } from "../../base/result.ts";
import { type CandidateRow, candidateRowSchema, exactCandidates } from "../../db/queries/search.ts";
import { indexedCandidates, leastEfSearch, searchSettings } from "../../db/queries/search-indexed.ts";
import type { CandidateSearch } from "../../db/queries/search-parts.ts";
import { sampleChunkRowSchema, selectSampleChunks } from "../../db/queries/search-recall.ts";
import type { Scope, Sql, SqlError, Statement } from "../../db/sql.ts";
import { BM25_B, BM25_K1 } from "../../lexical/bm25.ts";
import { storedVector } from "../stored-vector.ts";

/** Neighbours of one sample that are looked for. */
const NEIGHBOURS = 10;
/** Candidates of a search with a small k: the fewest, so that an index is not measured with more than it has in use. */
const CANDIDATES = 50;
/** Looking at every row of a scope of millions, milliseconds. */
const EXACT_TIMEOUT_MS = 60_000;
/** Scores of the two ways are the same numbers; what differs by less is equal. */
const SCORE_TOLERANCE = 1e-6;

/** The least share of the ten nearest that an index has to find to be used, and to stay without an alarm. */
export const RECALL_MIN = 0.95;
/** The breadth of search that one begins with. */
export const EF_SEARCH_MIN = leastEfSearch(CANDIDATES);

export interface RecallRequest {
  readonly scope: Scope;
  readonly model: { readonly modelId: number; readonly dimensions: number };
  /** Stored vectors that are asked for as queries. */
  readonly sampleCount: number;
  /** Other samples with another number, the same with the same. */
  readonly rotation: number;
  /** To measure an index that is not approved: the breadth of its search. */
  readonly trialEfSearch?: number;
  /** Looked at between samples. */
  readonly isSpent?: () => boolean;
}

export interface RecallTally {
  readonly sampleCount: number;
  /** Nearest neighbours that there are, and how many of them the search in use found too. */
  readonly wantedCount: number;
  readonly foundCount: number;
}

export const NO_RECALL: RecallTally = { sampleCount: 0, wantedCount: 0, foundCount: 0 };

/** Share of the neighbours found; 1 where there was none to find. */
export function recallOf({ wantedCount, foundCount }: RecallTally): number {
  return wantedCount === 0 ? 1 : foundCount / wantedCount;
}

export function addRecall(a: RecallTally, b: RecallTally): RecallTally {
  return {
    sampleCount: a.sampleCount + b.sampleCount,
    wantedCount: a.wantedCount + b.wantedCount,
    foundCount: a.foundCount + b.foundCount,
  };
}

/**
 * Asks for stored vectors of a scope, each in its tier, by the statement that serves searches of large scopes and by the one that looks at every row,
 * and counts the nearest that both have. The sample itself, which is its own nearest, does not count.
 */
export async function measureRecall(sql: Sql, request: RecallRequest): Promise<Result<RecallTally, SqlError>> {
  const { scope, model, sampleCount, rotation, isSpent = () => false } = request;
  const starts = sampleStarts(scope, rotation, sampleCount);
  const chosen = await sql.transaction(scope, [selectSampleChunks(scope, model.modelId, starts)], { readOnly: true });
  if (!chosen.ok) return chosen;
  let tally = NO_RECALL;
  for (const row of chosen.value[0] ?? []) {
    if (isSpent()) break;
    const sample = sampleChunkRowSchema.parse(row);
    const search = searchFor(request, sample.tier, [...storedVector(sample.embedding)]);
    const others = (found: readonly CandidateRow[]): number[] =>
      found
        .filter((each) => each.document_uid !== sample.document_uid || each.chunk_index !== sample.chunk_index)
        .map((each) => each.vector_score ?? -1)
        .sort((a, b) => b - a)
        .slice(0, NEIGHBOURS);
    const truth = await answer(sql, search, exactCandidates({ ...search, exactRowsMax: Number.MAX_SAFE_INTEGER }));
    if (!truth.ok) return truth;
    const found = await answer(sql, search, indexedCandidates({ ...search, exactRowsMax: 0 }));
    if (!found.ok) return found;
    tally = addRecall(tally, compare(others(truth.value), others(found.value)));
  }
  return ok(tally);
}

// By scores, not by keys: of texts that are equally near any will do.
function compare(truth: readonly number[], found: readonly number[]): RecallTally {
  const least = (truth.at(-1) ?? 1) - SCORE_TOLERANCE;
  const foundCount = Math.min(truth.length, found.filter((score) => score >= least).length);
  return { sampleCount: 1, wantedCount: truth.length, foundCount };
}

function searchFor({ scope, model, trialEfSearch }: RecallRequest, tier: string, vector: number[]): CandidateSearch {
  return {
    variant: "vector",
    tenantId: scope.tenantId,
    userId: scope.userId,
    tiers: [tier],
    modelId: model.modelId,
    dimensions: model.dimensions,
    queryVector: vector,
    terms: [],
    packs: [],
    bm25: { k1: BM25_K1, b: BM25_B },
    filters: {},
    candidatesMax: CANDIDATES,
    exactRowsMax: 0,
    ...(trialEfSearch === undefined ? {} : { trial: { efSearch: trialEfSearch } }),
  };
}

async function answer(
  sql: Sql,
  search: CandidateSearch,
  asked: Statement,
): Promise<Result<readonly CandidateRow[], SqlError>> {
  const { tenantId, userId } = search;
  const read = await sql.transaction({ tenantId, userId }, [searchSettings(search), asked], {
    readOnly: true,
    timeoutMs: EXACT_TIMEOUT_MS,
  });
  if (!read.ok) return read;
  return ok((read.value.at(-1) ?? []).map((row) => candidateRowSchema.parse(row)));
}

// Ids are hashes, so a hash is a fair place among them.
function sampleStarts({ tenantId, userId }: Scope, rotation: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    sha256HexSync(JSON.stringify([tenantId, userId, rotation, index])).slice(0, 32),
  );
}
