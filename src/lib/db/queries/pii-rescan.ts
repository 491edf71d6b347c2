import { z } from "zod";
import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";

/** Documents that were not searched with these rules, in order of their ids, with where their text lies. */
export function selectStaleDocuments(
  tenantId: string,
  page: { readonly rulesVersion: string; readonly afterUid: string | null; readonly rowsMax: number },
): Statement {
  return {
    text: `select document_uid, version_key, wal_key, document_index, pii_version from documents
           where tenant_id = $1 and pii_version <> $2 and deleted_at is null and duplicate_of is null
             and ($3::uuid is null or document_uid > $3::uuid)
           order by document_uid limit $4::int`,
    params: [tenantId, page.rulesVersion, page.afterUid, page.rowsMax],
  };
}

export const staleDocumentRowSchema = z.object({
  document_uid: z.string(),
  version_key: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
  pii_version: z.string(),
});

/** How many documents were not searched with these rules, from one id on. */
export function countStaleDocuments(
  tenantId: string,
  from: { readonly rulesVersion: string; readonly afterUid: string | null },
): Statement {
  return {
    text: `select count(*)::int as stale_count from documents
           where tenant_id = $1 and pii_version <> $2 and deleted_at is null and duplicate_of is null
             and ($3::uuid is null or document_uid > $3::uuid)`,
    params: [tenantId, from.rulesVersion, from.afterUid],
  };
}

export const staleCountRowSchema = z.object({ stale_count: z.int() });

/** Notes that documents, as of these versions, hold nothing that the rules would change. */
export function markSearched(
  tenantId: string,
  rulesVersion: string,
  rows: readonly { readonly documentUid: string; readonly versionKey: string }[],
): Statement {
  return {
    text: `with searched as (
             update documents d set pii_version = $2
             from unnest($3::uuid[], $4::text[]) as r (document_uid, version_key)
             where d.tenant_id = $1 and d.document_uid = r.document_uid and d.version_key = r.version_key
             returning d.tenant_id, d.document_uid, d.generation
           ), ${chunksOf("searched")}
           update doc_embeddings e set pii_version = $2 from chunks c, searched s
           where s.document_uid = c.document_uid and s.generation = c.generation and e.tenant_id = $1 and ${isChunk("e", "c")}`,
    params: [tenantId, rulesVersion, rows.map((row) => row.documentUid), rows.map((row) => row.versionKey)],
  };
}
