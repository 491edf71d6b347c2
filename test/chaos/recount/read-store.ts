import { z } from "zod";
import { OUTCOMES } from "../../../src/lib/contract/verdict.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import { decodeWal } from "../../../src/lib/wal/wal-codec.ts";
import { parseWalKey } from "../../../src/lib/wal/wal-key.ts";
import { WAL_LIMITS } from "../../../src/lib/wal/wal-limits.ts";
import { expectOk, statement } from "../../support/database.ts";
import type { ChaosBucket } from "../parts/chaos-system.ts";
import type { SeenInStore, SeenObject } from "../seen.ts";

export interface StoreToRead {
  readonly bucket: ChaosBucket;
  /** Sees the rows of every tenant. */
  readonly ownerSql: Sql;
}

const count = z.coerce.number().int();
const ledgerSchema = z.object({ tenantId: z.string(), walId: z.string(), rangeIndex: count, state: z.string() });
const receiptSchema = z.object({
  tenantId: z.string(),
  walId: z.string(),
  documentIndex: count,
  batchTag: z.string(),
  outcome: z.string(),
  chunkCount: count,
});
const batchSchema = z
  .looseObject({ tenantId: z.string(), batchTag: z.string(), chunkCount: count })
  .transform(({ tenantId, batchTag, chunkCount, ...counts }) => ({
    tenantId,
    batchTag,
    chunkCount,
    outcomes: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, Number(counts[outcome] ?? 0)])),
  }));
const documentSchema = z.object({
  tenantId: z.string(),
  userId: z.string(),
  documentId: z.string(),
  chunkCount: count,
  storedCount: count,
  staleCount: count,
});

const LEDGER = `select tenant_id as "tenantId", wal_id as "walId", range_index as "rangeIndex", state from wal_ledger`;
const RECEIPTS = `select tenant_id as "tenantId", wal_id as "walId", document_index as "documentIndex", batch_tag as "batchTag", outcome,
  chunk_count as "chunkCount" from receipts`;
const BATCHES = `select tenant_id as "tenantId", batch_tag as "batchTag", chunk_count as "chunkCount",
  ${OUTCOMES.map((outcome) => `${outcome}_count as ${outcome}`).join(", ")} from batches`;
const DOCUMENTS = `select d.tenant_id as "tenantId", d.user_id as "userId", d.document_id as "documentId", d.chunk_count as "chunkCount",
    count(e.chunk_index) filter (where e.generation = d.generation) as "storedCount",
    count(e.chunk_index) filter (where e.generation <> d.generation) as "staleCount"
  from documents d left join doc_embeddings e on e.tenant_id = d.tenant_id and e.document_uid = d.document_uid
  where d.deleted_at is null group by d.tenant_id, d.document_uid`;

/** Everything that R2 and Postgres hold of these tenants, counted row by row. */
export async function readStore({ bucket, ownerSql }: StoreToRead, tenantIds: readonly string[]): Promise<SeenInStore> {
  const rows = async <T>(text: string, schema: z.ZodType<T>): Promise<T[]> =>
    expectOk(await ownerSql.query(statement(text))).map((row) => schema.parse(row));
  const ofThem = <T extends { readonly tenantId: string }>(all: readonly T[]): readonly T[] =>
    all.filter(({ tenantId }) => tenantIds.includes(tenantId));
  const objects: SeenObject[] = [];
  for (const tenantId of tenantIds) objects.push(...(await readObjects(bucket, tenantId)));
  return {
    objects,
    ledger: ofThem(await rows(LEDGER, ledgerSchema)),
    receipts: ofThem(await rows(RECEIPTS, receiptSchema)),
    batches: ofThem(await rows(BATCHES, batchSchema)),
    documents: ofThem(await rows(DOCUMENTS, documentSchema)),
  };
}

/** Names and range counts of the tenant's WAL objects. */
export async function listObjects(
  bucket: ChaosBucket,
  tenantId: string,
): Promise<readonly { readonly key: string; readonly walId: string; readonly rangeCount: number }[]> {
  const found: { key: string; walId: string; rangeCount: number }[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await bucket.list({
      prefix: `wal/${tenantId}/`,
      include: ["customMetadata"],
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { key, customMetadata } of page.objects)
      found.push({ key, walId: parseWalKey(key)?.walId ?? key, rangeCount: Number(customMetadata?.["ranges"]) });
    if (!page.truncated) return found;
    cursor = page.cursor;
  }
}

async function readObjects(bucket: ChaosBucket, tenantId: string): Promise<readonly SeenObject[]> {
  const objects: SeenObject[] = [];
  for (const { key, walId, rangeCount } of await listObjects(bucket, tenantId)) {
    const object = await bucket.get(key);
    if (object === null) continue;
    const decoded = decodeWal(new Uint8Array(await object.arrayBuffer()), WAL_LIMITS);
    // What cannot be read cannot be recovered: as if it were gone.
    if (!decoded.ok) continue;
    const record = decoded.value;
    const inputs = record.documents.map((document) => ({
      tenantId,
      walId,
      userId: document.user_id,
      documentIndex: document.document_index,
      documentId: document.document_id,
      text: document.text,
    }));
    objects.push({ tenantId, walId, batchTag: record.batch_tag, rangeCount, inputs });
  }
  return objects;
}
