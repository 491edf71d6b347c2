/** What the nightly audit counts. Rows are counted in pages, or by an index where a table has one for it. */
import { z } from "zod";
import type { Statement } from "../sql.ts";
import type { StoreVariant } from "./models.ts";
import { pageEndSchema, type RowPage } from "./orphan-rows.ts";

const countSchema = z.coerce.number().int();
export const namedCountSchema = z.object({ name: z.string(), count: z.coerce.number() });

/** Counts of the smaller tables of a tenant, each with its name. */
export function selectTableCounts(tenantId: string): Statement {
  return {
    text: `select 'receipts' as name, count(*) as count from receipts where tenant_id = $1
           union all select 'receipts.' || outcome, count(*) from receipts where tenant_id = $1 group by outcome
           union all select 'ledger', count(*) from wal_ledger where tenant_id = $1
           union all select 'ledger.' || state, count(*) from wal_ledger where tenant_id = $1 group by state
           union all select 'ledger_inputs', coalesce(sum(document_count), 0) from wal_ledger where tenant_id = $1
           union all select 'batches', count(*) from batches where tenant_id = $1
           union all select 'batch_inputs', coalesce(sum(indexed_count + unchanged_count + duplicate_count + quarantined_count + rejected_count
             + failed_count), 0) from batches where tenant_id = $1
           union all select 'quarantine', count(*) from quarantine where tenant_id = $1
           union all select 'quarantine.' || state, count(*) from quarantine where tenant_id = $1 group by state
           union all select 'artifacts.' || kind, count(*) from artifacts where tenant_id = $1 group by kind
           union all select 'artifact_bytes.' || kind, sum(size_bytes) from artifacts where tenant_id = $1 group by kind
           union all select 'members', count(*) from artifact_members where tenant_id = $1
           union all select 'signatures', count(*) from document_signatures where tenant_id = $1
           union all select 'sessions', count(*) from sessions where tenant_id = $1
           union all select 'sessions_erased', count(*) from sessions where tenant_id = $1 and erased_at is not null
           union all select 'profile_versions', count(*) from profiles where tenant_id = $1
           union all select 'dead_letters_open', count(*) from dead_letters where tenant_id = $1 and resolved_at is null
           union all select 'user_erasures', count(*) from user_erasures where tenant_id = $1`,
    params: [tenantId],
  };
}

/** When a user of the tenant was last erased. */
export function selectLastErasure(tenantId: string): Statement {
  return { text: "select max(erased_at) as erased_at from user_erasures where tenant_id = $1", params: [tenantId] };
}

export const lastErasureRowSchema = z.object({ erased_at: z.date().nullable() });

/** Sources of one page that are told apart; those of others are summed up. */
const SOURCES_PER_PAGE = 200;

/** Documents of one page by tier, state and source, and those whose number of chunks is not what the store holds. */
export function countDocumentsPage(tenantId: string, { after, rowsMax }: RowPage): Statement {
  return {
    text: `with page as materialized (
             select document_uid, tier, source, model_id, generation, chunk_count, token_count, character_count,
               case when deleted_at is not null then 'deleted' when duplicate_of is not null then 'duplicate' else 'live' end as state
             from documents where tenant_id = $1 and ($2 = '' or document_uid > (nullif($2, '')::jsonb ->> 0)::uuid)
             order by document_uid limit $3::int),
           off as (
             select p.document_uid from page p where p.state <> 'deleted' and p.chunk_count <> (
               select count(*) from doc_embeddings e where e.tenant_id = $1 and e.model_id = p.model_id and e.document_uid = p.document_uid
                 and e.generation = p.generation)),
           counted as (
             select 'documents' as name, count(*) as count from page
             union all select 'documents.' || state, count(*) from page group by state
             union all select 'tier.' || tier, count(*) from page where state <> 'deleted' group by tier
             union all select 'tokens', sum(token_count) from page where state <> 'deleted'
             union all select 'characters', sum(character_count) from page where state <> 'deleted')
           select (select count(*) from page)::int as row_count,
             coalesce((select jsonb_build_array(document_uid)::text from page order by document_uid desc limit 1), '') as last,
             (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from counted c where c.count > 0) as counts,
             (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from (
               select 'source.' || source as name, count(*) as count from page where state <> 'deleted' group by source
               order by count(*) desc, source limit ${SOURCES_PER_PAGE}) s) as sources,
             (select coalesce(jsonb_agg(document_uid), '[]') from off) as off`,
    params: [tenantId, after, rowsMax],
  };
}

export const documentCountsSchema = pageEndSchema.extend({
  counts: z.array(namedCountSchema),
  sources: z.array(namedCountSchema),
  off: z.array(z.string()),
});

/** SQL: numbers in a vector, and its length; null where it is no vector. */
const MEASURES = {
  vector: { dimensions: "vector_dims(e.embedding)", norm: "l2_norm(e.embedding)::float8" },
  jsonb: {
    dimensions: `case when jsonb_typeof(e.embedding) = 'array' then (
      select count(*) filter (where jsonb_typeof(v.value) = 'number') from jsonb_array_elements(e.embedding) v)::int end`,
    norm: `case when jsonb_typeof(e.embedding) = 'array' then (
      select sqrt(sum((v.value #>> '{}')::float8 ^ 2)) from jsonb_array_elements(e.embedding) v where jsonb_typeof(v.value) = 'number') end`,
  },
} as const satisfies Record<StoreVariant, unknown>;

/**
 * Chunks of one page by model, and those whose vector is not one of its model: another number of components, or a length that is not 1 within
 * `normTolerance`. NaN is greater than every number to Postgres.
 */
export function countChunksPage(
  tenantId: string,
  variant: StoreVariant,
  { after, rowsMax, normTolerance }: RowPage & { readonly normTolerance: number },
): Statement {
  const { dimensions, norm } = MEASURES[variant];
  const from = [0, 1, 2, 3].map((place) => `(nullif($2, '')::jsonb ->> ${place})`);
  return {
    text: `with page as materialized (
             select e.model_id, e.document_uid, e.generation, e.chunk_index, ${dimensions} as dimensions, ${norm} as norm from doc_embeddings e
             where e.tenant_id = $1 and ($2 = '' or (e.model_id, e.document_uid, e.generation, e.chunk_index)
               > (${from[0]}::int, ${from[1]}::uuid, ${from[2]}::bigint, ${from[3]}::int))
             order by e.model_id, e.document_uid, e.generation, e.chunk_index limit $3::int),
           judged as (
             select case when m.model_id is null then 'vector_model' when p.dimensions is distinct from m.dimensions then 'vector_dimensions'
               when p.norm is null or not abs(p.norm - 1) <= $4::float8 then 'vector_norm' end as name,
               p.model_id || '/' || p.document_uid || '/' || p.generation || '/' || p.chunk_index as subject
             from page p left join embedding_models m on m.model_id = p.model_id)
           select (select count(*) from page)::int as row_count,
             coalesce((select jsonb_build_array(model_id, document_uid, generation, chunk_index)::text from page
               order by model_id desc, document_uid desc, generation desc, chunk_index desc limit 1), '') as last,
             (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from (
               select 'model.' || model_id as name, count(*) as count from page group by model_id) c) as counts,
             (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (
               select name, count(*) as count, (array_agg(subject order by subject))[1:10] as subjects from judged where name is not null
               group by name) f) as found`,
    params: [tenantId, after, rowsMax, normTolerance],
  };
}

export const chunkCountsSchema = pageEndSchema.extend({
  counts: z.array(namedCountSchema),
  found: z.array(
    z.object({
      name: z.enum(["vector_model", "vector_dimensions", "vector_norm"]),
      count: countSchema,
      subjects: z.array(z.string()),
    }),
  ),
});

/** Documents that hold a text of their own, with the chunks they are made of now and where their text lies. */
export function selectSampledDocuments(tenantId: string, { after, rowsMax }: RowPage): Statement {
  return {
    text: `select d.document_uid, d.version_key, d.wal_id, d.wal_key, d.document_index, d.model_id, encode(d.content_hash, 'hex') as content_hash, (
             select coalesce(jsonb_agg(jsonb_build_object('chunk_index', e.chunk_index, 'chunk_hash', encode(e.chunk_hash, 'hex'), 'text', e.text,
               'start_offset', e.start_offset, 'end_offset', e.end_offset, 'text_hash', e.text_hash) order by e.chunk_index), '[]')
             from doc_embeddings e where e.tenant_id = $1 and e.model_id = d.model_id and e.document_uid = d.document_uid
               and e.generation = d.generation) as chunks
           from documents d where d.tenant_id = $1 and d.deleted_at is null and d.duplicate_of is null and d.chunk_count > 0
             and ($2 = '' or d.document_uid > nullif($2, '')::uuid)
           order by d.document_uid limit $3::int`,
    params: [tenantId, after, rowsMax],
  };
}

export const sampledDocumentSchema = z.object({
  document_uid: z.string(),
  version_key: z.string(),
  wal_id: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
  model_id: z.int(),
  content_hash: z.string(),
  chunks: z.array(
    z.object({
      chunk_index: z.int(),
      chunk_hash: z.string(),
      text: z.string(),
      start_offset: z.int(),
      end_offset: z.int(),
      text_hash: z.number().nullable(),
    }),
  ),
});
export type SampledDocument = z.infer<typeof sampledDocumentSchema>;

/** Which of the documents still have the version that was looked at. */
export function selectSameVersions(
  tenantId: string,
  documents: readonly Pick<SampledDocument, "document_uid" | "version_key">[],
): Statement {
  return {
    text: `select d.document_uid from documents d join unnest($2::uuid[], $3::text[]) as v (document_uid, version_key)
             on v.document_uid = d.document_uid and v.version_key = d.version_key
           where d.tenant_id = $1 and d.deleted_at is null`,
    params: [
      tenantId,
      documents.map(({ document_uid: uid }) => uid),
      documents.map(({ version_key: versionKey }) => versionKey),
    ],
  };
}
