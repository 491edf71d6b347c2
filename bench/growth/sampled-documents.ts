import { z } from "zod";
import type { Sql } from "../../src/lib/db/sql.ts";
import { rowsIn, statement } from "../../test/support/database.ts";

const rowSchema = z.object({
  document_uid: z.string(),
  user_id: z.string(),
  tier: z.string(),
  wal_id: z.string(),
  document_index: z.int(),
  batch_tag: z.string(),
  content_hash: z.string(),
  chunk_hash: z.string(),
  text_hash: z.coerce.number(),
  bands: z.array(z.coerce.number()),
});

/** What queries ask a document by. */
export interface SampledDocument {
  readonly documentUid: string;
  readonly userId: string;
  readonly tier: string;
  readonly walId: string;
  readonly documentIndex: number;
  readonly batchTag: string;
  readonly contentHash: string;
  readonly chunkHash: string;
  readonly textHash: number;
  readonly bands: readonly number[];
}

/** Documents of a tenant from everywhere in its ids, the same every time. */
export async function sampleDocuments(sql: Sql, tenantId: string, count: number): Promise<SampledDocument[]> {
  const read = statement(
    `select d.document_uid, d.user_id, d.tier, d.wal_id, d.document_index, d.batch_tag, encode(d.content_hash, 'hex') as content_hash,
       encode(c.chunk_hash, 'hex') as chunk_hash, c.text_hash, array(select band from signature_bands b where b.tenant_id = $1
         and b.document_uid = d.document_uid) as bands
     from generate_series(0, $2::int - 1) n cross join lateral (
       select * from documents where tenant_id = $1 and document_uid >= (lpad(to_hex((n * 4294967295 / $2::int)::bigint), 8, '0') || repeat('0', 24))::uuid
       order by document_uid limit 1) d
     cross join lateral (select chunk_hash, text_hash from doc_embeddings e where e.tenant_id = $1 and e.model_id = d.model_id
       and e.document_uid = d.document_uid limit 1) c`,
    tenantId,
    count,
  );
  const rows = await rowsIn(sql, { tenantId, userId: "*" }, read);
  return rows.map((row) => {
    const found = rowSchema.parse(row);
    return {
      documentUid: found.document_uid,
      userId: found.user_id,
      tier: found.tier,
      walId: found.wal_id,
      documentIndex: found.document_index,
      batchTag: found.batch_tag,
      contentHash: found.content_hash,
      chunkHash: found.chunk_hash,
      textHash: found.text_hash,
      bands: found.bands,
    };
  });
}
