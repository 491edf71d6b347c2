import { z } from "zod";
import type { Statement } from "../sql.ts";
import type { BackedTable } from "./backup-tables.ts";
import { type StoreVariant, storeVariantSchema } from "./models.ts";

/** SQL: the transaction id of a parameter, null for ''. */
const xid = (parameter: string): string => `nullif(${parameter}, '')::xid`;

/**
 * SQL: whether a row was written by a transaction that had not ended when the watermark was taken. Every INSERT and UPDATE sets xmin, so no statement can be
 * forgotten. Of rows so old that ids have come round it may say yes, never no: a watermark is a week old at most, and one of `WATERMARK_AGE_MAX` is not used.
 */
const isSince = (row: string, parameter: string): string => `age(${row}.xmin) <= age(${xid(parameter)})`;

/** Transactions after which a watermark is too old to compare with: half of what the comparison can bear (2^31). */
const WATERMARK_AGE_MAX = 1_000_000_000;
/** Transaction ids as rows carry them. */
const XID_SPAN = 4_294_967_296;

/** What a database is: a backup goes back into one of the same kind, and of the same version or a later one. */
export const SELECT_STORE: Statement = {
  text: `select (select max(version) from schema_migrations)::int as schema_version,
           (select case udt_name when 'jsonb' then 'jsonb' else 'vector' end from information_schema.columns
             where table_schema = current_schema() and table_name = 'doc_embeddings' and column_name = 'embedding') as variant`,
  params: [],
};
export const storeRowSchema = z.object({ schema_version: z.int(), variant: storeVariantSchema });

/** Every tenant of one database, in order. */
export const SELECT_TENANT_IDS: Statement = { text: "select tenant_ids() as tenant_id", params: [] };
export const tenantIdRowSchema = z.object({ tenant_id: z.string() });

/** Begins the backup of a tenant, or begins it again. */
export function markBackup(tenantId: string, backupId: string): Statement {
  return {
    text: `insert into backup_marks (tenant_id, backup_id) values ($1, $2)
           on conflict (tenant_id, backup_id) do update set written_xid = excluded.written_xid, watermark_xid = excluded.watermark_xid,
             begun_at = excluded.begun_at
           returning (watermark_xid::text::numeric % ${XID_SPAN})::text as watermark, begun_at`,
    params: [tenantId, backupId],
  };
}

export const markRowSchema = z.object({ watermark: z.string(), begun_at: z.date() });

/** The mark of an earlier backup, if it was made in this database and can still be compared with. */
export function selectBaseMark(tenantId: string, backupId: string): Statement {
  return {
    text: `select (watermark_xid::text::numeric % ${XID_SPAN})::text as watermark from backup_marks m
           where tenant_id = $1 and backup_id = $2 and m.xmin::text = (m.written_xid::text::numeric % ${XID_SPAN})::text
             and age((watermark_xid::text::numeric % ${XID_SPAN})::text::xid) < ${WATERMARK_AGE_MAX}`,
    params: [tenantId, backupId],
  };
}

export const baseMarkRowSchema = z.object({ watermark: z.string() });

/** Forgets marks that no delta will be made from. */
export function deleteMarksBefore(tenantId: string, backupId: string): Statement {
  return {
    text: "delete from backup_marks where tenant_id = $1 and backup_id < $2",
    params: [tenantId, backupId],
  };
}

/** Whether the erasure of a user has ended since the watermark: what was read of the tenant before may hold what is gone. */
export function selectEndedErasures(tenantId: string, watermark: string): Statement {
  return {
    text: `select count(*)::int as ended_count from user_erasures u where tenant_id = $1 and progress is null and ${isSince("u", "$2")}`,
    params: [tenantId, watermark],
  };
}

export const endedErasuresRowSchema = z.object({ ended_count: z.int() });

export interface TablePage {
  /** Key of the last row of the page before; empty at the beginning. */
  readonly after: readonly string[];
  readonly rowsMax: number;
}

/** One page of a table: each row as JSON text, whose numbers are exact, with its key. */
export function selectTablePage(tenantId: string, table: BackedTable, { after, rowsMax }: TablePage): Statement {
  const columns = table.key.map(([column]) => `t.${column}`).join(", ");
  const given = table.key.map(([, type], index) => `$${index + 3}::${type}`).join(", ");
  const key = table.key.map(([column]) => `t.${column}::text`).join(", ");
  return {
    text: `select to_jsonb(t)::text as row, array[${key}]::text[] as key from ${table.name} t
           where t.tenant_id = $1${table.only === undefined ? "" : ` and ${table.only}`}${after.length === 0 ? "" : ` and (${columns}) > (${given})`}
           ${columns === "" ? "" : `order by ${columns}`} limit $2::int`,
    params: [tenantId, rowsMax, ...after],
  };
}

export const tablePageRowSchema = z.object({ row: z.string(), key: z.array(z.string()) });

/** Ranges that were applied while the backup was made, or shortly before. */
export function selectLateRanges(tenantId: string, watermark: string, { after, rowsMax }: TablePage): Statement {
  return {
    text: `select jsonb_build_object('wal_id', l.wal_id, 'range_index', l.range_index)::text as row,
             array[l.wal_id, l.range_index::text] as key from wal_ledger l
           where l.tenant_id = $1 and ${isSince("l", "$3")} and ($4 = '' or (l.wal_id, l.range_index) > ($4, $5::int))
           order by l.wal_id, l.range_index limit $2::int`,
    params: [tenantId, rowsMax, watermark, after[0] ?? "", Number(after[1] ?? 0)],
  };
}

export interface DocumentPage {
  readonly afterUid: string;
  readonly rowsMax: number;
  /** Chunks of a page, but for a first document that has more. */
  readonly chunksMax: number;
}

/** Before every document. */
export const FIRST_UID = "00000000-0000-0000-0000-000000000000";

/**
 * One page of documents, in one statement and so as they were at one moment. Of one that changed since the watermark ('' : all), or that has lost a chunk,
 * everything; of the others that they are there. Embeddings: base64 of pgvector's binary form, or the JSON of the other store.
 */
export function selectDocumentPage(
  tenantId: string,
  variant: StoreVariant,
  { watermark, ...page }: DocumentPage & { readonly watermark: string },
): Statement {
  const embedding = variant === "vector" ? "encode(halfvec_send(e.embedding), 'base64')" : "e.embedding::text";
  return {
    text: `with page as (
             select d.document_uid, d.user_id, d.version_key, d.wal_id, d.model_id, d.chunk_count,
               coalesce(${isSince("d", "$3")}, true) or exists (select from document_signatures s where s.tenant_id = $1
                 and s.document_uid = d.document_uid and ${isSince("s", "$3")}) as is_changed
             from documents d where d.tenant_id = $1 and d.document_uid > $2::uuid order by d.document_uid limit $4::int
           ), numbered as (
             select p.*, sum(p.chunk_count) over (order by p.document_uid) - p.chunk_count as chunks_before from page p
           ), counted as materialized (
             select p.document_uid, p.user_id, p.version_key, p.wal_id, p.is_changed or coalesce(c.is_changed, false) or coalesce(c.own_count, 0) <> p.chunk_count as is_changed,
               coalesce(c.models, '[]') as models
             from numbered p cross join lateral (
               select jsonb_agg(jsonb_build_array(m.model_id, k.row_count) order by m.model_id) as models, bool_or(k.is_changed) as is_changed,
                 sum(k.row_count) filter (where m.model_id = p.model_id) as own_count
               from embedding_models m cross join lateral (
                 select count(*) as row_count, bool_or(${isSince("e", "$3")}) as is_changed from doc_embeddings e
                 where e.tenant_id = $1 and e.model_id = m.model_id and e.document_uid = p.document_uid) k
               where k.row_count > 0) c
             where p.chunks_before < $5::int
           )
           select n.document_uid, n.user_id, n.version_key, n.wal_id, n.models, n.is_changed, to_jsonb(d) as document,
             coalesce(c.rows, '[]') as chunks, coalesce(c.embeddings, '{}') as embeddings, to_jsonb(s) as signature,
             coalesce(b.rows, '[]') as bands
           from counted n
           left join documents d on n.is_changed and d.tenant_id = $1 and d.document_uid = n.document_uid
           left join document_signatures s on n.is_changed and s.tenant_id = $1 and s.document_uid = n.document_uid
           left join lateral (
             select jsonb_agg(to_jsonb(e) - 'embedding' order by e.model_id, e.generation, e.chunk_index) as rows,
               array_agg(${embedding} order by e.model_id, e.generation, e.chunk_index) as embeddings
             from embedding_models m cross join lateral (
               select * from doc_embeddings e where e.tenant_id = $1 and e.model_id = m.model_id and e.document_uid = n.document_uid offset 0) e
             where n.is_changed) c on true
           left join lateral (
             select jsonb_agg(to_jsonb(b) order by b.band) as rows from signature_bands b
             where n.is_changed and b.tenant_id = $1 and b.document_uid = n.document_uid) b on true
           order by n.document_uid`,
    params: [tenantId, page.afterUid, watermark, page.rowsMax, page.chunksMax],
  };
}

/** A row as jsonb gives it. Its integers are those of the pack, which all fit a double. */
const rowSchema = z.record(z.string(), z.unknown());

export const documentPageRowSchema = z.object({
  document_uid: z.string(),
  user_id: z.string(),
  version_key: z.string(),
  wal_id: z.string(),
  models: z.array(z.tuple([z.int(), z.int()])),
  is_changed: z.boolean(),
  document: rowSchema.nullable(),
  chunks: z.array(rowSchema),
  embeddings: z.array(z.string()),
  signature: rowSchema.nullable(),
  bands: z.array(rowSchema),
});
export type DocumentPageRow = z.infer<typeof documentPageRowSchema>;
