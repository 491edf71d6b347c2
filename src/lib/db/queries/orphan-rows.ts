/** Pages of rows with what they should hang on. Each page is one statement, so that what one transaction writes is seen whole or not at all. */
import { z } from "zod";
import type { Statement } from "../sql.ts";
import type { StoreVariant } from "./models.ts";
import { isErasedSql, RECEIPT_VERSION } from "./user-erasures.ts";

/** A page of a tenant's rows: behind a key as JSON ('' from the first), so many rows at most. */
export interface RowPage {
  readonly after: string;
  readonly rowsMax: number;
}

const countSchema = z.coerce.number().int();

/** What a page returns beside its rows: how many it looked at, and the key of its last one as JSON ('' where there is none). */
export const pageEndSchema = z.object({ row_count: countSchema, last: z.string() });

const END = (key: string): string =>
  `(select count(*) from page)::int as row_count,
   coalesce((select jsonb_build_array(${key})::text from page order by ${key.split(", ").join(" desc, ")} desc limit 1), '') as last`;
const PARAMS = (tenantId: string, { after, rowsMax }: RowPage): readonly unknown[] => [tenantId, after, rowsMax];
/** SQL: the value at a place of the key that the page begins behind; null for the first page. */
const at = (index: number): string => `(nullif($2, '')::jsonb ->> ${index})`;

/** Documents that are not deleted, with the number of chunks that the store holds of each, and where its text lies. */
export function selectDocumentsWithChunks(tenantId: string, page: RowPage): Statement {
  return {
    text: `with page as materialized (
             select document_uid, model_id, generation, version_key, chunk_count, deleted_at, wal_key, document_index from documents
             where tenant_id = $1 and ($2 = '' or document_uid > ${at(0)}::uuid) order by document_uid limit $3::int)
           select ${END("document_uid")}, (
             select coalesce(jsonb_agg(jsonb_build_object('document_uid', p.document_uid, 'version_key', p.version_key, 'wal_key', p.wal_key,
               'document_index', p.document_index, 'chunk_count', p.chunk_count, 'stored_count', (
                 select count(*) from doc_embeddings e where e.tenant_id = $1 and e.model_id = p.model_id
                   and e.document_uid = p.document_uid and e.generation = p.generation)) order by p.document_uid), '[]')
             from page p where p.deleted_at is null) as documents`,
    params: PARAMS(tenantId, page),
  };
}

const storedDocumentSchema = z.object({
  document_uid: z.string(),
  version_key: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
  chunk_count: countSchema,
  stored_count: countSchema,
});
export type StoredDocument = z.infer<typeof storedDocumentSchema>;
export const documentsPageSchema = pageEndSchema.extend({ documents: z.array(storedDocumentSchema) });

/** Which of these documents lie in a registered pack, in the version that holds now. */
export function selectPackedDocuments(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `select distinct d.document_uid from documents d
           join artifact_members m on m.tenant_id = $1 and m.document_uid = d.document_uid and m.wal_id = d.wal_id
             and m.document_index = d.document_index
           join artifacts a on a.tenant_id = $1 and a.artifact_id = m.artifact_id and a.kind = 'pack'
           where d.tenant_id = $1 and d.document_uid = any($2::uuid[])`,
    params: [tenantId, documentUids],
  };
}

export const documentUidRowSchema = z.object({ document_uid: z.string() });

/** SQL: a vector that says nothing. halfvec takes neither NaN nor infinity. */
const IS_EMPTY_VECTOR = {
  vector: "l2_norm(e.embedding) = 0",
  jsonb: `(case when jsonb_typeof(e.embedding) = 'array' then jsonb_array_length(e.embedding) = 0 or e.embedding @> '[null]' else true end)`,
} as const satisfies Record<StoreVariant, string>;

/** How vectors are kept; no row in a store without the table. */
export const SELECT_STORE_VARIANT: Statement = {
  text: `select case udt_name when 'jsonb' then 'jsonb' else 'vector' end as variant from information_schema.columns
         where table_schema = current_schema() and table_name = 'doc_embeddings' and column_name = 'embedding'`,
  params: [],
};

/** Chunks that hang on nothing, by what they should hang on: one row for each document, model and generation. */
export function selectStrayChunks(tenantId: string, variant: StoreVariant, page: RowPage): Statement {
  return {
    text: `with page as materialized (
             select e.model_id, e.document_uid, e.generation, e.chunk_index, ${IS_EMPTY_VECTOR[variant]} as is_empty from doc_embeddings e
             where e.tenant_id = $1 and ($2 = '' or (e.model_id, e.document_uid, e.generation, e.chunk_index)
               > (${at(0)}::int, ${at(1)}::uuid, ${at(2)}::bigint, ${at(3)}::int))
             order by e.model_id, e.document_uid, e.generation, e.chunk_index limit $3::int),
           judged as (
             select p.model_id, p.document_uid, p.generation, case when d.document_uid is null then 'chunk_without_document'
               when d.deleted_at is not null or d.generation <> p.generation then 'chunk_of_former_version'
               when p.is_empty then 'chunk_without_vector' end as kind
             from page p left join documents d on d.tenant_id = $1 and d.document_uid = p.document_uid)
           select ${END("model_id, document_uid, generation, chunk_index")}, (
             select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (
               select kind, model_id, document_uid, generation, count(*) as chunk_count from judged where kind is not null
               group by 1, 2, 3, 4 order by 1, 2, 3, 4) f) as found`,
    params: PARAMS(tenantId, page),
  };
}

export const chunksPageSchema = pageEndSchema.extend({
  found: z.array(
    z.object({
      kind: z.enum(["chunk_without_document", "chunk_of_former_version", "chunk_without_vector"]),
      model_id: z.int(),
      document_uid: z.string(),
      generation: countSchema,
      chunk_count: countSchema,
    }),
  ),
});

/**
 * Artifacts whose members name documents that are not there, and members of artifacts that are not there. Retention takes documents out of packs: members
 * of artifacts from before `droppedAt` may be theirs.
 */
export function selectStrayMembers(
  tenantId: string,
  page: RowPage & { readonly droppedAt: Date | undefined },
): Statement {
  return {
    text: `with page as materialized (
             select artifact_id, position, document_uid from artifact_members
             where tenant_id = $1 and ($2 = '' or (artifact_id, position) > (${at(0)}, ${at(1)}::bigint))
             order by artifact_id, position limit $3::int),
           judged as (
             select p.artifact_id, case when a.artifact_id is null then 'member_without_artifact'
               when d.document_uid is null and ($4::timestamptz is null or a.created_at > $4::timestamptz) then 'member_without_document' end as kind
             from page p left join artifacts a on a.tenant_id = $1 and a.artifact_id = p.artifact_id
               left join documents d on d.tenant_id = $1 and d.document_uid = p.document_uid)
           select ${END("artifact_id, position")}, (
             select coalesce(jsonb_agg(to_jsonb(f)), '[]') from (
               select kind, artifact_id, count(*) as member_count from judged where kind is not null group by 1, 2 order by 1, 2) f) as found`,
    params: [...PARAMS(tenantId, page), page.droppedAt?.toISOString() ?? null],
  };
}

export const membersPageSchema = pageEndSchema.extend({
  found: z.array(
    z.object({
      kind: z.enum(["member_without_artifact", "member_without_document"]),
      artifact_id: z.string(),
      member_count: countSchema,
    }),
  ),
});

/**
 * Receipts that name a document which is not there. Left out: those of erased users, which an erasure makes nobody's, and those from before
 * `droppedBefore` (a ulid, '' for none): when a batch is dropped, what batches before it said of its documents stays.
 */
export function selectStrayReceipts(tenantId: string, page: RowPage & { readonly droppedBefore: string }): Statement {
  return {
    text: `with page as materialized (
             select wal_id, document_index, document_uid, outcome, user_id, version_key from receipts
             where tenant_id = $1 and ($2 = '' or (wal_id, document_index) > (${at(0)} collate "C", ${at(1)}::int))
             order by wal_id, document_index limit $3::int)
           select ${END("wal_id, document_index")}, (
             select coalesce(jsonb_agg(r.wal_id || '-' || r.document_index order by r.wal_id, r.document_index), '[]') from page r
             where r.document_uid is not null and r.wal_id > $4 and ${isErasedSql(RECEIPT_VERSION, "r.user_id")} is not true
               and not exists (select 1 from documents d where d.tenant_id = $1 and d.document_uid = r.document_uid)) as receipt_ids`,
    params: [...PARAMS(tenantId, page), page.droppedBefore],
  };
}

export const receiptsPageSchema = pageEndSchema.extend({ receipt_ids: z.array(z.string()) });

/** Artifacts, but for those that the erasure of their user is about to remove. */
export function selectArtifactsWithMembers(tenantId: string, page: RowPage): Statement {
  return {
    text: `with page as materialized (
             select object_key, artifact_id, kind, size_bytes, sha256, batch_tag, user_id, created_at from artifacts
             where tenant_id = $1 and ($2 = '' or object_key > ${at(0)}) order by object_key limit $3::int)
           select ${END("object_key")}, (
             select coalesce(jsonb_agg(jsonb_build_object('artifact_id', p.artifact_id, 'kind', p.kind, 'object_key', p.object_key, 'size_bytes',
               p.size_bytes, 'sha256', encode(p.sha256, 'hex'), 'batch_tag', p.batch_tag, 'has_members', exists (
                 select 1 from artifact_members m where m.tenant_id = $1 and m.artifact_id = p.artifact_id)) order by p.object_key), '[]')
             from page p left join user_erasures u on u.tenant_id = $1 and u.user_hash = user_hash(p.user_id)
             where u.user_hash is null or p.created_at >= u.erased_at) as artifacts`,
    params: PARAMS(tenantId, page),
  };
}

const registeredSchema = z.object({
  artifact_id: z.string(),
  kind: z.string(),
  object_key: z.string(),
  size_bytes: countSchema,
  sha256: z.string(),
  batch_tag: z.string().nullable(),
  has_members: z.boolean(),
});
export type RegisteredObject = z.infer<typeof registeredSchema>;
export const artifactsPageSchema = pageEndSchema.extend({ artifacts: z.array(registeredSchema) });

/** Quarantined inputs whose text should be there, with its object. */
export function selectHeldObjects(tenantId: string, page: RowPage): Statement {
  return {
    text: `with page as materialized (
             select quarantine_id, object_key, text_removed_at from quarantine
             where tenant_id = $1 and ($2 = '' or quarantine_id > ${at(0)}) order by quarantine_id limit $3::int)
           select ${END("quarantine_id")}, (
             select coalesce(jsonb_agg(jsonb_build_object('quarantine_id', quarantine_id, 'object_key', object_key) order by quarantine_id), '[]')
             from page where text_removed_at is null) as held`,
    params: PARAMS(tenantId, page),
  };
}

export const heldPageSchema = pageEndSchema.extend({
  held: z.array(z.object({ quarantine_id: z.string(), object_key: z.string() })),
});

/** Sessions that were not erased. */
export function selectKeptSessions(tenantId: string, page: RowPage): Statement {
  return {
    text: `with page as materialized (
             select user_id, session_id, source, first_event_at, updated_at, erased_at from sessions
             where tenant_id = $1 and ($2 = '' or (user_id, session_id) > (${at(0)}, ${at(1)})) order by user_id, session_id limit $3::int)
           select ${END("user_id, session_id")}, (
             select coalesce(jsonb_agg(jsonb_build_object('user_id', user_id, 'session_id', session_id, 'source', source, 'opened_at',
               to_char(coalesce(first_event_at, updated_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), '[]')
             from page where erased_at is null) as sessions`,
    params: PARAMS(tenantId, page),
  };
}

const keptSessionSchema = z.object({
  user_id: z.string(),
  session_id: z.string(),
  source: z.string(),
  opened_at: z.string(),
});
export type KeptSession = z.infer<typeof keptSessionSchema>;
export const sessionsPageSchema = pageEndSchema.extend({ sessions: z.array(keptSessionSchema) });

/** Which of these objects a row of the registry names. */
export function selectRegisteredKeys(tenantId: string, keys: readonly string[]): Statement {
  return {
    text: "select object_key from artifacts where tenant_id = $1 and object_key = any($2::text[])",
    params: [tenantId, keys],
  };
}

/** Which of these objects a quarantined input names. */
export function selectHeldKeys(tenantId: string, keys: readonly string[]): Statement {
  return {
    text: "select distinct object_key from quarantine where tenant_id = $1 and object_key = any($2::text[])",
    params: [tenantId, keys],
  };
}

export const objectKeyRowSchema = z.object({ object_key: z.string() });

/** Where the text of a document lies that holds now. */
export function selectStoredVersion(tenantId: string, documentUid: string): Statement {
  return {
    text: `select version_key, wal_key, document_index from documents
           where tenant_id = $1 and document_uid = $2::uuid and deleted_at is null and duplicate_of is null`,
    params: [tenantId, documentUid],
  };
}

export const storedVersionRowSchema = z.object({
  version_key: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
});

/**
 * Takes a document's chunks without a vector away, which nothing may reuse, and its content hash, so that the same content is indexed once more. Of this
 * version only, and only while chunks are missing.
 */
export function unsettleDocument(
  tenantId: string,
  variant: StoreVariant,
  document: { readonly documentUid: string; readonly versionKey: string },
): readonly Statement[] {
  const params = [tenantId, document.documentUid, document.versionKey];
  const isThis = "d.tenant_id = $1 and d.document_uid = $2::uuid and d.version_key = $3";
  const isOwn = "e.model_id = d.model_id and e.document_uid = d.document_uid and e.generation = d.generation";
  return [
    {
      text: `delete from doc_embeddings e using documents d where ${isThis} and e.tenant_id = $1 and ${isOwn} and ${IS_EMPTY_VECTOR[variant]}`,
      params,
    },
    {
      text: `update documents d set content_hash = ''::bytea where ${isThis} and d.chunk_count <> (
               select count(*) from doc_embeddings e where e.tenant_id = $1 and ${isOwn})`,
      params,
    },
  ];
}

/** Deletes chunks whose document has another version now, or was deleted. Nothing goes of a document that is not there. */
export function deleteFormerChunks(
  tenantId: string,
  chunks: { readonly documentUid: string; readonly modelId: number; readonly generation: number },
): Statement {
  return {
    text: `delete from doc_embeddings e using documents d
           where e.tenant_id = $1 and e.model_id = $2::int and e.document_uid = $3::uuid and e.generation = $4::bigint
             and d.tenant_id = $1 and d.document_uid = e.document_uid and (d.deleted_at is not null or d.generation <> e.generation)`,
    params: [tenantId, chunks.modelId, chunks.documentUid, chunks.generation],
  };
}

/** Deletes members of an artifact that is not registered; what registers it writes them once more. */
export function deleteStrayMembers(tenantId: string, artifactId: string): Statement {
  return {
    text: `delete from artifact_members m where m.tenant_id = $1 and m.artifact_id = $2
             and not exists (select 1 from artifacts a where a.tenant_id = $1 and a.artifact_id = $2)`,
    params: [tenantId, artifactId],
  };
}
