import { sha256HexSync, sha256Sync } from "../../base/hash.ts";
import { ok, type Result } from "../../base/result.ts";
import { candidateRowSchema, exactCandidates, scopeSizeRowSchema, selectScopeSize } from "../../db/queries/search.ts";
import { indexedCandidates, leastEfSearch, searchSettings } from "../../db/queries/search-indexed.ts";
import type { CandidateSearch } from "../../db/queries/search-parts.ts";
import { sampleChunkRowSchema, selectSampleChunks } from "../../db/queries/search-recall.ts";
import type { Scope, Sql, SqlError, Statement } from "../../db/sql.ts";
import { BM25_B, BM25_K1 } from "../../lexical/bm25.ts";
import { storedVector } from "../models/stored-vector.ts";

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
/**
 * How far a query is moved from the stored vector it is made of, its length being 1: the cosine of the two becomes 0.8. A query is never a stored vector, and a
 * stored one is easier to find: its own place is in the graph.
 */
const QUERY_OFFSET = 0.75;

export interface RecallRequest {
  readonly scope: Scope;
  readonly model: { readonly modelId: number; readonly dimensions: number };
  /** Chunks of a tier up to which a search looks at every row: samples of such tiers are left out. */
  readonly chunksMin: number;
  readonly sampleCount: number;
  /** Other samples with another number, the same with the same. */
  readonly rotation: number;
  /** Looked at between samples. */
  readonly isSpent?: () => boolean;
}

/** A search with its exact answer. */
export interface KnownAnswer {
  readonly search: CandidateSearch;
  /** Scores of the nearest, the best first. */
  readonly scores: readonly number[];
}

export interface RecallTally {
  readonly sampleCount: number;
  /** Nearest neighbours that there are, and how many of them the search by the index found too. */
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

/** Questions near stored vectors of a scope, each in the tier of its vector, answered by looking at every row. */
export async function knownAnswers(
  sql: Sql,
  request: RecallRequest,
): Promise<Result<readonly KnownAnswer[], SqlError>> {
  const { scope, model, sampleCount, rotation, isSpent = () => false } = request;
  const starts = sampleStarts(scope, rotation, sampleCount);
  const chosen = await sql.transaction(scope, [selectSampleChunks(scope, model.modelId, starts)], { readOnly: true });
  if (!chosen.ok) return chosen;
  const known: KnownAnswer[] = [];
  for (const row of chosen.value[0] ?? []) {
    if (isSpent()) break;
    const sample = sampleChunkRowSchema.parse(row);
    const vector = questionNear(storedVector(sample.embedding), `${sample.document_uid}/${sample.chunk_index}`);
    const search = searchFor(request, sample.tier, vector);
    const exact = exactCandidates({ ...search, exactRowsMax: Number.MAX_SAFE_INTEGER });
    const answer = await answerOf(sql, search, exact);
    if (!answer.ok) return answer;
    if (answer.value.chunkCount > request.chunksMin) known.push({ search, scores: answer.value.scores });
  }
  return ok(known);
}

/**
 * Asks the same by the statement that serves searches of large scopes, and counts the nearest that it found too. `efSearch` measures an index that is not
 * approved, with this breadth of search; without it, what searches do.
 */
export async function countFound(
  sql: Sql,
  known: readonly KnownAnswer[],
  efSearch?: number,
): Promise<Result<RecallTally, SqlError>> {
  let tally = NO_RECALL;
  for (const { search, scores } of known) {
    const asked = efSearch === undefined ? search : { ...search, trial: { efSearch } };
    const found = await answerOf(sql, asked, indexedCandidates(asked));
    if (!found.ok) return found;
    // By scores, not by keys: of texts that are equally near any will do.
    const least = (scores.at(-1) ?? 1) - SCORE_TOLERANCE;
    const foundCount = Math.min(scores.length, found.value.scores.filter((score) => score >= least).length);
    tally = addRecall(tally, { sampleCount: 1, wantedCount: scores.length, foundCount });
  }
  return ok(tally);
}

function searchFor({ scope, model, chunksMin }: RecallRequest, tier: string, vector: number[]): CandidateSearch {
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
    exactRowsMax: chunksMin,
  };
}

interface Answer {
  readonly scores: readonly number[];
  /** Of the tier in the scope. */
  readonly chunkCount: number;
}

async function answerOf(sql: Sql, search: CandidateSearch, asked: Statement): Promise<Result<Answer, SqlError>> {
  const { tenantId, userId } = search;
  const statements = [searchSettings(search), selectScopeSize(search), asked];
  const options = { readOnly: true, timeoutMs: EXACT_TIMEOUT_MS };
  const read = await sql.transaction({ tenantId, userId }, statements, options);
  if (!read.ok) return read;
  const [, sizes = [], rows = []] = read.value;
  const chunkCount = sizes[0] === undefined ? 0 : scopeSizeRowSchema.parse(sizes[0]).chunk_count;
  const scores = rows.map((row) => candidateRowSchema.parse(row).vector_score ?? -1).sort((a, b) => b - a);
  return ok({ scores: scores.slice(0, NEIGHBOURS), chunkCount });
}

// Ids are hashes, so a hash is a fair place among them.
function sampleStarts({ tenantId, userId }: Scope, rotation: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    sha256HexSync(JSON.stringify([tenantId, userId, rotation, index])).slice(0, 32),
  );
}

/** A unit vector at a fixed angle from another, in a direction that the key chooses: each component moved up or down by the same. */
function questionNear(vector: Float32Array, key: string): number[] {
  const step = QUERY_OFFSET / Math.sqrt(vector.length);
  const signs = signsOf(key, vector.length);
  const moved = Array.from(vector, (value, index) => value + (signs[index] === 1 ? step : -step));
  const length = Math.hypot(...moved);
  return moved.map((value) => value / length);
}

/** Bits of the SHA-256 of a key with a running number. */
function signsOf(key: string, count: number): number[] {
  const signs: number[] = [];
  for (let number = 0; signs.length < count; number += 1)
    for (const byte of sha256Sync(`${key}/${number}`))
      for (let bit = 0; bit < 8; bit += 1) signs.push((byte >> bit) & 1);
  return signs;
}
