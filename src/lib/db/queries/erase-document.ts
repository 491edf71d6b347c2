import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";
import { isErasedSql } from "./user-erasures.ts";

export interface DocumentTombstone {
  readonly documentUid: string;
  readonly documentId: string;
  readonly tier: string;
}

/** Of one user, by one deletion. */
export interface Tombstones {
  readonly tenantId: string;
  readonly userId: string;
  readonly documents: readonly DocumentTombstone[];
  /** Orders the deletion among the versions of each document: what was accepted before it stays deleted. */
  readonly versionKey: string;
  readonly batchTag: string;
}

/** SQL: what a row of `documents as d` becomes by a tombstone, `excluded`. */
export const DELETED_COLUMNS = `version_key = excluded.version_key, deleted_at = now(),
             generation = d.generation + 1, title = '', source = '', metadata = '{}', content_hash = ''::bytea,
             chunk_count = 0, token_count = 0, character_count = 0, duplicate_of = null, duplicate_hash = null, updated_at = now()`;

/** The tombstone of one document. */
export function upsertTombstone({
  tenantId,
  userId,
  versionKey,
  batchTag,
  ...document
}: Omit<Tombstones, "documents"> & DocumentTombstone): Statement {
  return upsertTombstones({ tenantId, userId, versionKey, batchTag, documents: [document] });
}

/**
 * Leaves tombstones in place of documents, also where none is stored yet: an accepted version may still be on its way. Of a user who was erased since, none
 * is left: it would name what is gone.
 */
export function upsertTombstones({ tenantId, userId, documents, versionKey, batchTag }: Tombstones): Statement {
  return {
    text: `insert into documents as d (tenant_id, document_uid, user_id, document_id, tier, content_hash, model_id, version_key,
             batch_tag, wal_key, wal_id, document_index, deleted_at)
           select $1, t.document_uid, $2, t.document_id, t.tier, ''::bytea, 0, $6, $7, '', '', 0, now()
           from unnest($3::uuid[], $4::text[], $5::text[]) as t (document_uid, document_id, tier)
           where ${isErasedSql("$6", "$2")} is not true
           on conflict (tenant_id, document_uid) do update set ${DELETED_COLUMNS}
           where d.version_key < excluded.version_key
           returning (xmax <> 0) as existed`,
    params: [
      tenantId,
      userId,
      documents.map(({ documentUid }) => documentUid),
      documents.map(({ documentId }) => documentId),
      documents.map(({ tier }) => tier),
      versionKey,
      batchTag,
    ],
  };
}

/** Gives tombstones that a restore left without names those of their documents: until then they are nobody's, and no user may write them. */
export function nameTombstones({
  tenantId,
  userId,
  documents,
}: Pick<Tombstones, "tenantId" | "userId" | "documents">): Statement {
  return {
    text: `update documents d set user_id = $2, document_id = t.document_id, tier = t.tier
           from unnest($3::uuid[], $4::text[], $5::text[]) as t (document_uid, document_id, tier)
           where d.tenant_id = $1 and d.document_uid = t.document_uid and d.user_id = '*' and d.deleted_at is not null`,
    params: [
      tenantId,
      userId,
      documents.map(({ documentUid }) => documentUid),
      documents.map(({ documentId }) => documentId),
      documents.map(({ tier }) => tier),
    ],
  };
}

/** Deletes every chunk of a document, of all models and generations. */
export function deleteChunksOfDocument(tenantId: string, documentUid: string): Statement {
  return deleteChunksOfDocuments(tenantId, [documentUid]);
}

/** Deletes every chunk of documents, of all models and generations. */
export function deleteChunksOfDocuments(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `with named as materialized (select distinct u.document_uid from unnest($2::uuid[]) as u (document_uid)), ${chunksOf("named")},
           deleted as (
             delete from doc_embeddings e using chunks c where e.tenant_id = $1 and ${isChunk("e", "c")} returning 1
           )
           select count(*) as chunk_count from deleted`,
    params: [tenantId, documentUids],
  };
}
