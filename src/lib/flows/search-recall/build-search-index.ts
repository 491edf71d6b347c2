import { ok, type Result } from "../../base/result.ts";
import {
  analysePartition,
  dropIndex,
  indexStateRowSchema,
  largeTenantRowSchema,
  lexicalIndex,
  partitionRowSchema,
  refreshLexemeStats,
  type SearchIndex,
  searchedModelRowSchema,
  selectIndexStates,
  selectLargeTenants,
  selectPartitions,
  selectSearchedModels,
  vectorIndex,
} from "../../db/queries/search-maintenance.ts";
import { deleteIndexProof, type IndexProof } from "../../db/queries/search-recall.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import { type BuiltIndex, proveIndex } from "./prove-index.ts";

export interface SearchIndexContext {
  /** As the owner of the tables, free of row-level security: indexes and tenant sizes are not the application's to touch. */
  readonly ownerSql: Sql;
  /** As the application: document frequencies are written under the tenant they belong to. */
  readonly sql: Sql;
}

export interface SearchIndexOptions {
  /** Rows of a partition from which it gets indexes: below, every scope in it is searched exactly anyway. */
  readonly partitionRowsMin: number;
  /** Chunks of a tenant from which its document frequencies are kept. */
  readonly tenantChunksMin: number;
  /** How long one build may take, milliseconds. An interrupted build is dropped and begun again by the next run. */
  readonly buildTimeoutMs: number;
}

/** Rows of a partition from which it gets its indexes, and chunks of a tenant from which its document frequencies are kept. */
export const LARGE_ROWS_MIN = 20_000;

/** Chunks of a tenant that are counted for its document frequencies; of larger tenants a sample of about this many. */
const SAMPLED_CHUNKS_MAX = 200_000;

export interface SearchIndexReport {
  readonly built: readonly string[];
  readonly alreadyValid: readonly string[];
  readonly droppedInvalid: readonly string[];
  /** What indexes of vectors are worth, each measured in this run; one that is not approved was dropped. */
  readonly proofs: readonly IndexProof[];
  readonly refreshedTenants: number;
}

interface WantedIndex extends SearchIndex {
  /** Of an index of vectors, which has to be measured before it is used. */
  readonly vectors: BuiltIndex | undefined;
}

/**
 * Gives every large partition its HNSW index per model and its index over stems, and large tenants their document frequencies. Load first,
 * index later: until a partition is large nothing slows its writes. An index of vectors is measured against exact answers before any search
 * uses it, and again by each further run; where it falls short it is dropped. Twice means once: what is valid stays, what is broken is built again.
 */
export async function buildSearchIndex(
  context: SearchIndexContext,
  options: SearchIndexOptions,
): Promise<Result<SearchIndexReport, SqlError>> {
  const wanted = await wantedIndexes(context.ownerSql, options.partitionRowsMin);
  if (!wanted.ok) return wanted;
  const states = await context.ownerSql.query(selectIndexStates(wanted.value.map((index) => index.name)));
  if (!states.ok) return states;
  const valid = new Map(
    states.value.map((row) => indexStateRowSchema.parse(row)).map((state) => [state.name, state.valid]),
  );
  const built: string[] = [];
  const proofs: IndexProof[] = [];
  for (const index of wanted.value) {
    const done = await settleIndex(context, index, { ...options, isValid: valid.get(index.name) === true });
    if (!done.ok) return done;
    if (done.value.isBuilt) built.push(index.name);
    if (done.value.proof !== undefined) proofs.push(done.value.proof);
  }
  const refreshed = await refreshStatistics(context, options);
  if (!refreshed.ok) return refreshed;
  const namesOf = (state: boolean): string[] => [...valid].filter(([, is]) => is === state).map(([name]) => name);
  const droppedInvalid = namesOf(false);
  return ok({ built, alreadyValid: namesOf(true), droppedInvalid, proofs, refreshedTenants: refreshed.value });
}

/** Builds an index beside running writes; what an interrupted build left, and what was known of a former one, goes first. */
async function build(
  { ownerSql }: SearchIndexContext,
  { name, build: statement, vectors }: WantedIndex,
  { buildTimeoutMs: timeoutMs }: SearchIndexOptions,
): Promise<Result<unknown, SqlError>> {
  const steps = [...(vectors === undefined ? [] : [deleteIndexProof(name)]), dropIndex(name), statement];
  for (const step of steps) {
    const done = await ownerSql.query(step, { timeoutMs });
    if (!done.ok) return done;
  }
  return ok(undefined);
}

interface Settled {
  readonly isBuilt: boolean;
  readonly proof: IndexProof | undefined;
}

/** Builds what is not valid, and measures what is of vectors. What an older index misses a new one may find: it is built anew before it is given up. */
async function settleIndex(
  context: SearchIndexContext,
  index: WantedIndex,
  options: SearchIndexOptions & { readonly isValid: boolean },
): Promise<Result<Settled, SqlError>> {
  const { vectors } = index;
  if (options.isValid) {
    if (vectors === undefined) return ok({ isBuilt: false, proof: undefined });
    const proof = await proveIndex(context, vectors, options.tenantChunksMin);
    if (!proof.ok) return proof;
    if (proof.value.isApproved) return ok({ isBuilt: false, proof: proof.value });
  }
  const built = await build(context, index, options);
  if (!built.ok) return built;
  if (vectors === undefined) return ok({ isBuilt: true, proof: undefined });
  const proof = await proveIndex(context, vectors, options.tenantChunksMin);
  if (!proof.ok) return proof;
  if (proof.value.isApproved) return ok({ isBuilt: true, proof: proof.value });
  const dropped = await context.ownerSql.query(dropIndex(index.name), { timeoutMs: options.buildTimeoutMs });
  return dropped.ok ? ok({ isBuilt: true, proof: proof.value }) : dropped;
}

async function wantedIndexes(
  ownerSql: Sql,
  partitionRowsMin: number,
): Promise<Result<readonly WantedIndex[], SqlError>> {
  const models = await ownerSql.query(selectSearchedModels());
  if (!models.ok) return models;
  const known = await ownerSql.query(selectPartitions());
  if (!known.ok) return known;
  for (const row of known.value) {
    const analysed = await ownerSql.query(analysePartition(partitionRowSchema.parse(row).partition));
    if (!analysed.ok) return analysed;
  }
  const counted = await ownerSql.query(selectPartitions());
  if (!counted.ok) return counted;
  const large = counted.value
    .map((row) => partitionRowSchema.parse(row))
    .filter((row) => row.row_count >= partitionRowsMin);
  const searched = models.value.map((row) => searchedModelRowSchema.parse(row));
  return ok(
    large.flatMap(({ partition }) => [
      { ...lexicalIndex(partition), vectors: undefined },
      ...searched.map(({ model_id: modelId, dimensions }) => {
        const index = vectorIndex(partition, { modelId, dimensions });
        return { ...index, vectors: { name: index.name, partition, model: { modelId, dimensions } } };
      }),
    ]),
  );
}

async function refreshStatistics(
  context: SearchIndexContext,
  options: SearchIndexOptions,
): Promise<Result<number, SqlError>> {
  const tenants = await context.ownerSql.query(selectLargeTenants(options.tenantChunksMin));
  if (!tenants.ok) return tenants;
  for (const row of tenants.value) {
    const tenant = largeTenantRowSchema.parse(row);
    const sampleFactor = Math.ceil(tenant.chunk_count / SAMPLED_CHUNKS_MAX);
    const statements = refreshLexemeStats(tenant.tenant_id, tenant.model_id, sampleFactor);
    const refreshed = await context.sql.transaction({ tenantId: tenant.tenant_id, userId: "*" }, statements, {
      timeoutMs: options.buildTimeoutMs,
    });
    if (!refreshed.ok) return refreshed;
  }
  return ok(tenants.value.length);
}
