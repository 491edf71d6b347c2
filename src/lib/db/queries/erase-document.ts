import type { Statement } from "../sql.ts";

export interface DocumentTombstone {
  readonly tenantId: string;
  readonly documentUid: string;
  readonly userId: string;
  readonly documentId: string;
  readonly tier: string;
  /** Orders the deletion among the document's versions: what was accepted before it stays deleted. */
  readonly versionKey: string;
  readonly batchTag: string;
}

/** Leaves a tombstone in place of the document, also where none is stored yet: an accepted version may still be on its way. */
export function upsertTombstone(tombstone: DocumentTombstone): Statement {
  return {
    text: `insert into documents as d (tenant_id, document_uid, user_id, document_id, tier, content_hash, model_id, version_key,
             batch_tag, wal_key, wal_id, document_index, deleted_at)
           values ($1, $2::uuid, $3, $4, $5, ''::bytea, 0, $6, $7, '', '', 0, now())
           on conflict (tenant_id, document_uid) do update set version_key = excluded.version_key, deleted_at = now(),
             generation = d.generation + 1, title = '', source = '', metadata = '{}', content_hash = ''::bytea,
             chunk_count = 0, token_count = 0, character_count = 0, duplicate_of = null, duplicate_hash = null, updated_at = now()
           where d.version_key < excluded.version_key
           returning (xmax <> 0) as existed`,
    params: [
      tombstone.tenantId,
      tombstone.documentUid,
      tombstone.userId,
      tombstone.documentId,
      tombstone.tier,
      tombstone.versionKey,
      tombstone.batchTag,
    ],
  };
}

/** Deletes every chunk of a document, of all models and generations. */
export function deleteChunksOfDocument(tenantId: string, documentUid: string): Statement {
  return {
    text: `with deleted as (delete from doc_embeddings where tenant_id = $1 and document_uid = $2::uuid returning 1)
           select count(*) as chunk_count from deleted`,
    params: [tenantId, documentUid],
  };
}
