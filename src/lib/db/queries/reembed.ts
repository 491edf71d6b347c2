/** Vectors of documents under a model beside the one that they were indexed with. */
import { z } from "zod";
import type { Statement } from "../sql.ts";

/** A model in a tenant. */
export interface TenantModel {
  readonly tenantId: string;
  readonly modelId: number;
}

/** What a failure of another kind than the text's own is worth: the document is tried again after this. */
const REFUSAL_RETRY = "interval '1 day'";

/** SQL: live documents (alias `d`) with a text of their own. */
const LIVE = "d.tenant_id = $1 and d.deleted_at is null and d.duplicate_of is null and d.character_count > 0";
/** SQL: the model `$2` has chunks of the document as it is now. */
const HAS_CHUNKS = `exists (select 1 from doc_embeddings e where e.tenant_id = $1 and e.model_id = $2::int
  and e.document_uid = d.document_uid and e.generation = d.generation)`;
/** SQL: refusals (alias `r`) of the document as it is now by the model `$2`. */
const REFUSALS = `from model_refusals r where r.tenant_id = $1 and r.model_id = $2::int and r.document_uid = d.document_uid
  and r.generation = d.generation`;
const IS_REFUSED = `exists (select 1 ${REFUSALS} and (r.code = 'text_refused' or r.refused_at > now() - ${REFUSAL_RETRY}))`;
/** SQL: the document's own rows are those of another model than `$2`. */
const IS_ANOTHERS = "d.model_id = any(array(select m.model_id from embedding_models m where m.model_id <> $2::int))";

export interface DocumentPage {
  /** Only documents whose own rows are those of another model: new ones get those of the active model as they are indexed. */
  readonly isActive: boolean;
  readonly afterUid: string;
  readonly rowsMax: number;
}

/** SQL that is true: a parameter has to be named somewhere. */
const ANY_MODEL = "$2::int is not null";

/** SQL: one page of live documents in order of their ids, read by the key, so that looking for gaps costs as much where there are none. */
const pageOf = ({ isActive }: DocumentPage): string => `select d.* from documents d
  where ${LIVE} and ($3 = '' or d.document_uid > nullif($3, '')::uuid) and ${isActive ? IS_ANOTHERS : ANY_MODEL}
  order by d.document_uid limit $4::int`;

/**
 * Two statements over one snapshot: where a page of documents ends, and those of it that lack vectors of the model, without those that it refused, in order of their ids.
 */
export function selectUnembedded(
  { tenantId, modelId }: TenantModel,
  page: DocumentPage,
): readonly [Statement, Statement] {
  const params = [tenantId, modelId, page.afterUid, page.rowsMax];
  return [
    {
      text: `select max(d.document_uid::text) as last_uid, count(*)::int as row_count from (${pageOf(page)}) d`,
      params,
    },
    {
      text: `with page as materialized (${pageOf(page)})
             select d.document_uid, d.user_id, d.generation::float8 as generation, d.version_key, d.wal_key, d.document_index, d.series, d.character_count
             from page d where not ${HAS_CHUNKS} and not ${IS_REFUSED} order by d.document_uid`,
      params,
    },
  ];
}

export const pageEndRowSchema = z.object({ last_uid: z.string().nullable(), row_count: z.int() });

export const unembeddedRowSchema = z.object({
  document_uid: z.string(),
  user_id: z.string(),
  generation: z.int(),
  version_key: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
  series: z.string().nullable(),
  character_count: z.int(),
});
export type UnembeddedRow = z.infer<typeof unembeddedRowSchema>;

const LOCK_KEY = "hashtextextended(jsonb_build_array('reembed', $1::text)::text, 0)";

/**
 * Waits for transactions that add vectors to documents which are there, and keeps others waiting until the end of this one. For what deletes documents
 * and chunks in one statement: such a statement would not see chunks that were added while it waited for their document.
 */
export function lockReembedding(tenantId: string): Statement {
  return { text: `select pg_advisory_xact_lock(${LOCK_KEY})`, params: [tenantId] };
}

/** Keeps `lockReembedding` waiting until the end of the transaction. */
export function holdReembedding(tenantId: string): Statement {
  return { text: `select pg_advisory_xact_lock_shared(${LOCK_KEY})`, params: [tenantId] };
}

/** For a transaction that fills a model: fails with `serialization_failure` where the model is retired by now. */
export function holdFilledModel(modelId: number): Statement {
  return { text: "select hold_model($1::int, '{active,shadow}', false)", params: [modelId] };
}

/** Keeps documents as they are until the end of the transaction: a new version, a deletion or the end of a series waits, and then meets the new chunks. */
export function holdDocuments(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `select d.document_uid from documents d where d.tenant_id = $1 and d.document_uid = any($2::uuid[])
           order by d.document_uid for share`,
    params: [tenantId, documentUids],
  };
}

export interface RefusalRow {
  readonly documentUid: string;
  readonly generation: number;
  /** -1: the whole document. */
  readonly chunkIndex: number;
  readonly code: string;
}

/** Notes what a model refused of documents that still have that generation. */
export function insertRefusals({ tenantId, modelId }: TenantModel, rows: readonly RefusalRow[]): Statement {
  return {
    text: `insert into model_refusals as f (tenant_id, model_id, document_uid, generation, chunk_index, code)
           select $1, $2::int, r.document_uid, r.generation, r.chunk_index, r.code
           from unnest($3::uuid[], $4::bigint[], $5::int[], $6::text[]) as r (document_uid, generation, chunk_index, code)
           join documents d on d.tenant_id = $1 and d.document_uid = r.document_uid and d.generation = r.generation
           on conflict (tenant_id, document_uid, model_id, chunk_index) do update
             set generation = excluded.generation, code = excluded.code, refused_at = now()`,
    params: [
      tenantId,
      modelId,
      rows.map((row) => row.documentUid),
      rows.map((row) => row.generation),
      rows.map((row) => row.chunkIndex),
      rows.map((row) => row.code),
    ],
  };
}

/** What one transaction of filling did. Tokens are those that were embedded; a known vector costs none. */
export interface Filled {
  readonly documentCount: number;
  readonly chunkCount: number;
  readonly tokenCount: number;
  readonly embedMs: number;
}

export function addProgress({ tenantId, modelId }: TenantModel, filled: Filled): Statement {
  return {
    text: `insert into model_progress as p (tenant_id, model_id, document_count, chunk_count, token_count, embed_ms)
           values ($1, $2::int, $3::bigint, $4::bigint, $5::bigint, $6::bigint)
           on conflict (tenant_id, model_id) do update set document_count = p.document_count + excluded.document_count,
             chunk_count = p.chunk_count + excluded.chunk_count, token_count = p.token_count + excluded.token_count,
             embed_ms = p.embed_ms + excluded.embed_ms, updated_at = now()`,
    params: [tenantId, modelId, filled.documentCount, filled.chunkCount, filled.tokenCount, Math.round(filled.embedMs)],
  };
}

/** Makes the rows of the active model those of one page of documents that it has chunks of, or has refused; their counts become those of its rows. */
export function adoptDocuments({ tenantId, modelId }: TenantModel, rowsMax: number): Statement {
  return {
    text: `with page as materialized (
             select d.document_uid, d.generation from documents d
             where ${LIVE} and ${IS_ANOTHERS} and (${HAS_CHUNKS} or ${IS_REFUSED}) order by d.document_uid limit $3::int for update),
           counts as materialized (
             select p.document_uid, count(e.document_uid)::int as chunk_count, coalesce(sum(e.token_count), 0)::int as token_count
             from page p left join doc_embeddings e on e.tenant_id = $1 and e.model_id = $2::int and e.document_uid = p.document_uid
               and e.generation = p.generation
             group by p.document_uid),
           adopted as (
             update documents d set model_id = $2::int, chunk_count = c.chunk_count, token_count = c.token_count, updated_at = now()
             from counts c where d.tenant_id = $1 and d.document_uid = c.document_uid returning 1)
           select count(*)::int as row_count from adopted`,
    params: [tenantId, modelId, rowsMax],
  };
}

/** Deletes one page of a model's chunks. The page is read by the key, so that its cost does not depend on the others. */
export function deleteModelChunks({ tenantId, modelId }: TenantModel, rowsMax: number): Statement {
  return {
    text: `with page as materialized (
             select e.document_uid, e.generation, e.chunk_index from doc_embeddings e
             where e.tenant_id = $1 and e.model_id = $2::int order by e.document_uid, e.generation, e.chunk_index limit $3::int),
           gone as (
             delete from doc_embeddings e using page p where e.tenant_id = $1 and e.model_id = $2::int and e.document_uid = p.document_uid
               and e.generation = p.generation and e.chunk_index = p.chunk_index returning 1)
           select count(*)::int as row_count from gone`,
    params: [tenantId, modelId, rowsMax],
  };
}

/** Deletes refusals of documents that are gone or have become others since. */
export function deleteStaleRefusals(tenantId: string): Statement {
  return {
    text: `delete from model_refusals r where r.tenant_id = $1 and not exists (select 1 from documents d where d.tenant_id = $1
             and d.document_uid = r.document_uid and d.generation = r.generation and d.deleted_at is null)`,
    params: [tenantId],
  };
}

/** Forgets what the model refused of documents that are embedded anew. */
export function deleteRefusals({ tenantId, modelId }: TenantModel, documentUids: readonly string[]): Statement {
  return {
    text: "delete from model_refusals where tenant_id = $1 and model_id = $2::int and document_uid = any($3::uuid[])",
    params: [tenantId, modelId, documentUids],
  };
}

/** What else there is of a retired model; its counts of scopes are 0 by then. */
export function deleteModelRemains({ tenantId, modelId }: TenantModel): readonly Statement[] {
  return ["model_refusals", "model_progress", "lexeme_stats", "scope_counts"].map((table) => ({
    text: `delete from ${table} where tenant_id = $1 and model_id = $2::int`,
    params: [tenantId, modelId],
  }));
}

export const rowCountSchema = z.object({ row_count: z.int() });

/** How far a model has come in a tenant, counted in the store. */
export function selectCoverage({ tenantId, modelId }: TenantModel): Statement {
  return {
    text: `with live as materialized (
             select ${HAS_CHUNKS} as has_chunks, exists (select 1 ${REFUSALS}) as has_refusal, d.token_count, d.model_id = $2::int as is_own
             from documents d where ${LIVE})
           select (select count(*) from live)::int as document_count,
             (select count(*) from live where has_chunks)::int as covered_count,
             (select count(*) from live where has_refusal)::int as refused_count,
             (select count(*) from live where not has_chunks and not has_refusal and not is_own)::int as missing_count,
             (select count(*) from live where is_own)::int as own_count,
             (select coalesce(sum(token_count) filter (where not has_chunks and not has_refusal), 0) from live)::float8 as missing_tokens,
             (select coalesce(sum(s.chunk_count), 0) from scope_counts s where s.tenant_id = $1 and s.model_id = $2::int)::float8 as chunk_count,
             (select coalesce(sum(s.chunk_count), 0) from scope_counts s join embedding_models m on m.model_id = s.model_id and m.state = 'active'
               where s.tenant_id = $1)::float8 as active_chunk_count,
             (select coalesce(jsonb_object_agg(c.code, c.n), '{}') from (
               select r.code, count(*) as n from model_refusals r join documents d on d.tenant_id = $1 and d.document_uid = r.document_uid
                 and d.generation = r.generation and d.deleted_at is null
               where r.tenant_id = $1 and r.model_id = $2::int group by r.code) c) as refusals,
             coalesce(p.document_count, 0)::float8 as embedded_documents, coalesce(p.chunk_count, 0)::float8 as embedded_chunks,
             coalesce(p.token_count, 0)::float8 as embedded_tokens, coalesce(p.embed_ms, 0)::float8 as embed_ms
           from (select 1) one left join model_progress p on p.tenant_id = $1 and p.model_id = $2::int`,
    params: [tenantId, modelId],
  };
}

export const coverageRowSchema = z.object({
  document_count: z.int(),
  covered_count: z.int(),
  refused_count: z.int(),
  missing_count: z.int(),
  own_count: z.int(),
  missing_tokens: z.number(),
  chunk_count: z.number(),
  active_chunk_count: z.number(),
  refusals: z.record(z.string(), z.int()),
  embedded_documents: z.number(),
  embedded_chunks: z.number(),
  embedded_tokens: z.number(),
  embed_ms: z.number(),
});
export type CoverageRow = z.infer<typeof coverageRowSchema>;

/** Live documents whose own rows are those of the model, of at most `rowsMax`. */
export function countOwnDocuments({ tenantId, modelId }: TenantModel, rowsMax: number): Statement {
  return {
    text: `select count(*)::int as row_count from (select 1 from documents d where ${LIVE} and d.model_id = $2::int limit $3::int) n`,
    params: [tenantId, modelId, rowsMax],
  };
}

/**
 * Titles of documents that a user can see, or the beginning of their text where they have none: what somebody may ask for. In an order by chance that is
 * always the same.
 */
export function selectQueryTexts(
  { tenantId, modelId }: TenantModel,
  drawn: { readonly userId: string; readonly rowsMax: number },
): Statement {
  return {
    text: `select d.title, left(e.text, 200) as text from documents d
           join doc_embeddings e on e.tenant_id = $1 and e.model_id = $2::int and e.document_uid = d.document_uid and e.generation = d.generation
             and e.chunk_index = 0 and e.valid_until is null
           where ${LIVE} and d.user_id = any($3::text[])
           order by md5(d.document_uid::text), d.document_uid limit $4::int`,
    params: [tenantId, modelId, drawn.userId === "" ? [""] : ["", drawn.userId], drawn.rowsMax],
  };
}

export const queryTextRowSchema = z.object({ title: z.string(), text: z.string() });
