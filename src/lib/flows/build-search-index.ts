import { ok, type Result } from "../base/result.ts";
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
} from "../db/queries/search-maintenance.ts";
import type { Sql, SqlError } from "../db/sql.ts";

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
  readonly refreshedTenants: number;
}

/**
 * Gives every large partition its HNSW index per model and its index over stems, and large tenants their document frequencies. Load first,
 * index later: until a partition is large nothing slows its writes. Twice means once: what is valid stays, what is broken is built again.
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
  const droppedInvalid: string[] = [];
  for (const index of wanted.value) {
    if (valid.get(index.name) === true) continue;
    if (valid.has(index.name)) {
      const dropped = await context.ownerSql.query(dropIndex(index.name), { timeoutMs: options.buildTimeoutMs });
      if (!dropped.ok) return dropped;
      droppedInvalid.push(index.name);
    }
    const done = await context.ownerSql.query(index.build, { timeoutMs: options.buildTimeoutMs });
    if (!done.ok) return done;
    built.push(index.name);
  }
  const refreshed = await refreshStatistics(context, options);
  if (!refreshed.ok) return refreshed;
  const alreadyValid = [...valid].filter(([, isValid]) => isValid).map(([name]) => name);
  return ok({ built, alreadyValid, droppedInvalid, refreshedTenants: refreshed.value });
}

async function wantedIndexes(
  ownerSql: Sql,
  partitionRowsMin: number,
): Promise<Result<readonly SearchIndex[], SqlError>> {
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
      lexicalIndex(partition),
      ...searched.map((model) => vectorIndex(partition, { modelId: model.model_id, dimensions: model.dimensions })),
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
