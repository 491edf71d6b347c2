import type { Statement } from "../sql.ts";
import { DELETED_COLUMNS } from "./erase-document.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";

/** A document, and the version before which it was deleted. */
interface DeletedVersion {
  readonly documentUid: string;
  readonly versionKey: string;
}

/**
 * Deletes documents again of which only the hash is known, unless they have a later version. Where no row is, one of nobody is left: an older version may
 * still come from the WAL. Who writes or deletes the document next gives it its names. Each document once.
 */
export function restoreTombstones(tenantId: string, deleted: readonly DeletedVersion[]): readonly Statement[] {
  const uids = deleted.map(({ documentUid }) => documentUid);
  const params = [tenantId, uids, deleted.map(({ versionKey }) => versionKey)];
  const gone = `select d.document_uid from documents d
    join unnest($2::uuid[], $3::text[]) as t (document_uid, version_key) using (document_uid, version_key) where d.tenant_id = $1`;
  return [
    {
      text: `insert into documents as d (tenant_id, document_uid, user_id, document_id, tier, content_hash, model_id, version_key,
               batch_tag, wal_key, wal_id, document_index, deleted_at)
             select $1, t.document_uid, '*', '', 'doc', ''::bytea, 0, t.version_key, left(t.version_key, 26), '', '', 0, now()
             from unnest($2::uuid[], $3::text[]) as t (document_uid, version_key) order by t.document_uid
             on conflict (tenant_id, document_uid) do update set ${DELETED_COLUMNS} where d.version_key < excluded.version_key`,
      params,
    },
    {
      text: `with gone as materialized (${gone}), ${chunksOf("gone")}
             delete from doc_embeddings e using chunks c where e.tenant_id = $1 and ${isChunk("e", "c")}`,
      params,
    },
    { text: `delete from signature_bands where tenant_id = $1 and document_uid in (${gone})`, params },
    { text: `delete from document_signatures where tenant_id = $1 and document_uid in (${gone})`, params },
  ];
}
