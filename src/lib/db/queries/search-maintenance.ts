import { z } from "zod";
import type { Statement } from "../sql.ts";

/** Partitions of the chunk table with their estimated rows (exact enough after ANALYZE). */
export function selectPartitions(): Statement {
  return {
    text: `select c.relname as partition, c.reltuples::float8 as row_count from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = 'doc_embeddings'::regclass order by c.relname`,
    params: [],
  };
}

export const partitionRowSchema = z.object({
  partition: z.string().regex(/^doc_embeddings_p\d+$/),
  row_count: z.number(),
});

/** Renews the estimates of one partition. The name comes from the catalogue. */
export function analysePartition(partition: string): Statement {
  return { text: `analyze ${partition}`, params: [] };
}

/** Models whose vectors are searched or about to be. */
export function selectSearchedModels(): Statement {
  return {
    text: "select model_id, dimensions from embedding_models where state in ('active', 'shadow') order by model_id",
    params: [],
  };
}

export const searchedModelRowSchema = z.object({ model_id: z.int(), dimensions: z.int() });

/** Whether the named indexes are there, and whole: a build that was cut off leaves one that is not valid. */
export function selectIndexStates(names: readonly string[]): Statement {
  return {
    text: `select c.relname as name, x.indisvalid and x.indisready as valid from pg_class c join pg_index x on x.indexrelid = c.oid
           where c.relname = any($1::text[]) and c.relnamespace = current_schema()::regnamespace`,
    params: [names],
  };
}

export const indexStateRowSchema = z.object({ name: z.string(), valid: z.boolean() });

/** An index that a large partition should have: its name, and the statement that builds it beside running writes. */
export interface SearchIndex {
  readonly name: string;
  readonly build: Statement;
}

/** HNSW over the vectors of one model in one partition. Inner product, since vectors are of unit length. */
export function vectorIndex(
  partition: string,
  model: { readonly modelId: number; readonly dimensions: number },
): SearchIndex {
  const name = `${partition}_hnsw_m${model.modelId}`;
  const expression = `(embedding::halfvec(${model.dimensions})) halfvec_ip_ops`;
  return {
    name,
    build: {
      text: `create index concurrently ${name} on ${partition} using hnsw (${expression}) where model_id = ${model.modelId}`,
      params: [],
    },
  };
}

/** GIN over the stems of a partition, all models together. */
export function lexicalIndex(partition: string): SearchIndex {
  const name = `${partition}_lexemes`;
  return {
    name,
    build: {
      text: `create index concurrently ${name} on ${partition} using gin (lexeme_dimensions(lexemes))`,
      params: [],
    },
  };
}

/** Removes what is left of an interrupted build. */
export function dropIndex(name: string): Statement {
  return { text: `drop index concurrently if exists ${name}`, params: [] };
}

/** Tenants with a scope over `chunkCountMin`, by model. Needs a role that row-level security does not bind. */
export function selectLargeTenants(chunkCountMin: number): Statement {
  return {
    text: `select tenant_id, model_id, sum(chunk_count)::float8 as chunk_count from scope_counts
           group by tenant_id, model_id having sum(chunk_count) > $1::float8 order by tenant_id, model_id`,
    params: [chunkCountMin],
  };
}

export const largeTenantRowSchema = z.object({ tenant_id: z.string(), model_id: z.int(), chunk_count: z.number() });

/**
 * Counts a tenant's document frequencies anew, in one transaction. Of a large tenant one document in `sampleFactor` is counted and
 * stands for as many: idf needs the order of magnitude.
 */
export function refreshLexemeStats(tenantId: string, modelId: number, sampleFactor: number): Statement[] {
  return [
    { text: "delete from lexeme_stats where tenant_id = $1 and model_id = $2::int", params: [tenantId, modelId] },
    {
      text: `insert into lexeme_stats (tenant_id, user_id, tier, model_id, dimension, chunk_count)
             select e.tenant_id, e.user_id, e.tier, e.model_id, l.dimension, count(*) * $3::int
             from doc_embeddings e cross join lateral unnest(lexeme_dimensions(e.lexemes)) l (dimension)
             where e.tenant_id = $1 and e.model_id = $2::int and abs(hashtext(e.document_uid::text)::bigint) % $3::int = 0
             group by e.tenant_id, e.user_id, e.tier, e.model_id, l.dimension`,
      params: [tenantId, modelId, sampleFactor],
    },
  ];
}
