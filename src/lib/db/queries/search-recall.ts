/** What is needed to hold answers of the vector index against exact ones, and the record of indexes that stood the test. */
import { z } from "zod";
import type { Statement } from "../sql.ts";

export interface LargeScopes {
  readonly modelId: number;
  /** Chunks of a scope from which on it is searched by the index. */
  readonly chunksMin: number;
  readonly rowsMax: number;
}

// What a search as a user looks at: the user's chunks and those that the tenant shares.
const SCOPES = `select c.tenant_id, c.user_id, (c.chunk_count + case when c.user_id = '' then 0 else coalesce(s.chunk_count, 0) end)::float8 as chunk_count
  from (select tenant_id, user_id, sum(chunk_count) as chunk_count from scope_counts where model_id = $1::int group by 1, 2) c
  left join (select tenant_id, sum(chunk_count) as chunk_count from scope_counts where model_id = $1::int and user_id = '' group by 1) s
    on s.tenant_id = c.tenant_id`;

/** Some of a tenant's scopes that the index answers for; other ones with another `rotation`. */
export function selectScopesOfTenant(tenantId: string, scopes: LargeScopes, rotation: number): Statement {
  return {
    text: `select * from (${SCOPES} where c.tenant_id = $2) z where z.chunk_count > $3::float8
           order by hashtextextended(z.user_id, $4::bigint) limit $5::int`,
    params: [scopes.modelId, tenantId, scopes.chunksMin, rotation, scopes.rowsMax],
  };
}

/** The largest scopes in one partition. Needs a role that row-level security does not bind. */
export function selectScopesOfPartition(partition: string, scopes: LargeScopes): Statement {
  return {
    text: `select * from (${SCOPES}) z where z.chunk_count > $2::float8 and chunk_partition(z.tenant_id) = $3
           order by z.chunk_count desc, z.tenant_id, z.user_id limit $4::int`,
    params: [scopes.modelId, scopes.chunksMin, partition, scopes.rowsMax],
  };
}

export const scopeRowSchema = z.object({ tenant_id: z.string(), user_id: z.string(), chunk_count: z.number() });

/** Of each place among a scope's document ids the next chunk that is valid now: stored vectors that stand for queries. */
export function selectSampleChunks(
  scope: { readonly tenantId: string; readonly userId: string },
  modelId: number,
  startUids: readonly string[],
): Statement {
  return {
    text: `select distinct s.document_uid, s.chunk_index, s.tier, encode(halfvec_send(s.embedding), 'base64') as embedding
           from unnest($4::uuid[]) as p (start_uid) cross join lateral (
             select e.document_uid, e.chunk_index, e.tier, e.embedding from doc_embeddings e
             where e.tenant_id = $1 and e.user_id = any($2::text[]) and e.model_id = $3::int and e.document_uid >= p.start_uid
               and e.valid_until is null
             order by e.tenant_id, e.model_id, e.document_uid, e.generation, e.chunk_index limit 1) s`,
    params: [scope.tenantId, ["", scope.userId], modelId, startUids],
  };
}

export const sampleChunkRowSchema = z.object({
  document_uid: z.string(),
  chunk_index: z.int(),
  tier: z.string(),
  embedding: z.string(),
});

export interface IndexProof {
  readonly indexName: string;
  readonly partition: string;
  readonly modelId: number;
  readonly isApproved: boolean;
  /** Candidates that the search through it keeps in sight. */
  readonly efSearch: number;
  readonly recall: number;
  readonly sampleCount: number;
}

/** Notes what an index was found to be worth; an approved one is used by searches from then on. */
export function upsertIndexProof(proof: IndexProof): Statement {
  return {
    text: `insert into search_indexes (index_name, partition_name, model_id, approved, ef_search, recall, sample_count)
           values ($1, $2, $3::int, $4::boolean, $5::int, $6::float8, $7::int)
           on conflict (index_name) do update set approved = excluded.approved, ef_search = excluded.ef_search, recall = excluded.recall,
             sample_count = excluded.sample_count, measured_at = now()`,
    params: [
      proof.indexName,
      proof.partition,
      proof.modelId,
      proof.isApproved,
      proof.efSearch,
      proof.recall,
      proof.sampleCount,
    ],
  };
}

/** Takes an index out of use, before it is built anew. */
export function deleteIndexProof(indexName: string): Statement {
  return { text: "delete from search_indexes where index_name = $1", params: [indexName] };
}

/** Indexes of vectors that are whole and that no search uses, because nothing has measured them. */
export const SELECT_UNPROVEN_INDEXES: Statement = {
  text: `select c.relname as name from pg_index x join pg_class c on c.oid = x.indexrelid
         where c.relname ~ '^doc_embeddings_p[0-9]+_hnsw_m[0-9]+$' and x.indisvalid and x.indisready
           and c.relnamespace = current_schema()::regnamespace
           and not exists (select from search_indexes s where s.index_name = c.relname and s.approved)
         order by 1`,
  params: [],
};
