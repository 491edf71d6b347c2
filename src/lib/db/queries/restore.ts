import { z } from "zod";
import type { Statement } from "../sql.ts";
import { type BackedTable, DOCUMENT_TABLES, KIN_TABLES, LEDGER_TABLE } from "./backup-tables.ts";
import { deleteChunksOfDocuments } from "./erase-document.ts";
import { replaceRegistry } from "./models.ts";

/** Tables that say that a tenant is in use: it may have been made anew, with keys and a policy, before it is restored. */
const USED_TABLES: readonly string[] = [LEDGER_TABLE, ...KIN_TABLES]
  .map(({ name }) => name)
  .filter((name) => !["tenants", "api_keys", "policy_versions"].includes(name))
  .concat(DOCUMENT_TABLES);

/** Whether nothing of the tenant is there. */
export function selectIsEmpty(tenantId: string): Statement {
  const some = USED_TABLES.map((name) => `exists (select from ${name} where tenant_id = $1)`);
  return { text: `select not (${some.join(" or ")}) as is_empty`, params: [tenantId] };
}

export const isEmptyRowSchema = z.object({ is_empty: z.boolean() });

const HAS_DOCUMENT = "exists (select from documents d where d.tenant_id = $1 and d.document_uid = r.document_uid)";

/** A name of a column, as a file says it. */
const COLUMN = /^[a-z][a-z0-9_]{0,62}$/;

/** Whether a file may name these columns. */
export function areColumns(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => COLUMN.test(name));
}

/**
 * Inserts rows of one table, as one JSON array. Columns that a later migration added get their default. What is there already stays, but for the tenant itself,
 * whose policy and name are those of the backup.
 */
export function insertRows(
  tenantId: string,
  table: BackedTable | { readonly name: (typeof DOCUMENT_TABLES)[number] },
  { columns, rowsJson, isReplacing = false }: { columns: readonly string[]; rowsJson: string; isReplacing?: boolean },
): Statement {
  const names = columns.map((column) => `"${column}"`).join(", ");
  const changes = columns.map((column) => `"${column}" = excluded."${column}"`).join(", ");
  const conflict =
    table.name === "tenants"
      ? `(tenant_id) do update set ${changes}`
      : isReplacing && table.name === "documents"
        ? `(tenant_id, document_uid) do update set ${changes} where documents.version_key <= excluded.version_key`
        : "do nothing";
  // Refusals hang on a document, which may be among what could not be read.
  const only = table.name === "model_refusals" ? ` and ${HAS_DOCUMENT}` : "";
  return {
    text: `insert into ${table.name} (${names}) select ${names} from jsonb_populate_recordset(null::${table.name}, $2::jsonb) r
           where tenant_id = $1${only} on conflict ${conflict}`,
    params: [tenantId, rowsJson],
  };
}

/** Removes what hangs on documents that are about to be written in a later version. */
export function clearDocuments(tenantId: string, documentUids: readonly string[]): readonly Statement[] {
  const params = [tenantId, documentUids];
  const own = "tenant_id = $1 and document_uid = any($2::uuid[])";
  return [
    deleteChunksOfDocuments(tenantId, documentUids),
    { text: `delete from document_signatures where ${own}`, params },
    { text: `delete from signature_bands where ${own}`, params },
  ];
}

/** Documents as the last backup of a chain lists them, from behind `fromUid` to `toUid` (null: to the end). */
export interface ListedDocuments {
  readonly fromUid: string;
  readonly toUid: string | null;
  readonly documents: readonly {
    readonly documentUid: string;
    readonly versionKey: string;
    readonly models: readonly (readonly [modelId: number, chunkCount: number])[];
  }[];
}

const IN_RANGE = "tenant_id = $1 and document_uid > $2::uuid and ($3 = '' or document_uid <= nullif($3, '')::uuid)";

/** Removes what the list does not have: documents that were deleted, or whose last version could not be read, and chunks of models that are gone. */
export function pruneDocuments(tenantId: string, { fromUid, toUid, documents }: ListedDocuments): readonly Statement[] {
  const range = [tenantId, fromUid, toUid ?? ""];
  const params = [...range, documents.map((each) => each.documentUid), documents.map((each) => each.versionKey)];
  const models = documents.flatMap(({ documentUid, models: own }) =>
    own.map(([modelId]) => ({ documentUid, modelId })),
  );
  const gone = `select document_uid from documents d where ${IN_RANGE} and not exists (
      select from unnest($4::uuid[], $5::text[]) as k (document_uid, version_key) where k.document_uid = d.document_uid and k.version_key = d.version_key)`;
  return [
    {
      text: `delete from doc_embeddings e where ${IN_RANGE} and not exists (
               select from unnest($4::uuid[], $5::int[]) as k (document_uid, model_id) where k.document_uid = e.document_uid and k.model_id = e.model_id)`,
      params: [...range, models.map((each) => each.documentUid), models.map((each) => each.modelId)],
    },
    ...["doc_embeddings", "document_signatures", "signature_bands", "documents"].map((table) => ({
      text: `delete from ${table} where tenant_id = $1 and document_uid in (${gone})`,
      params,
    })),
  ];
}

/** How many of the documents are not there in their version, with all their chunks. */
export function countMissingDocuments(tenantId: string, documents: ListedDocuments["documents"]): Statement {
  return {
    text: `select count(*)::int as missing_count from unnest($2::uuid[], $3::text[], $4::int[]) as k (document_uid, version_key, chunk_count)
           where not exists (select from documents d where d.tenant_id = $1 and d.document_uid = k.document_uid and d.version_key = k.version_key)
             or k.chunk_count <> (select count(*) from embedding_models m cross join lateral (
               select from doc_embeddings e where e.tenant_id = $1 and e.model_id = m.model_id and e.document_uid = k.document_uid offset 0) e)`,
    params: [
      tenantId,
      documents.map((each) => each.documentUid),
      documents.map((each) => each.versionKey),
      documents.map((each) => each.models.reduce((sum, [, count]) => sum + count, 0)),
    ],
  };
}

export const missingRowSchema = z.object({ missing_count: z.int() });

/**
 * Takes back WAL objects of which a range was applied after the ledger had been read: the rest of the backup may have half of what it did. The sweeper brings
 * them again, whole. Comes after everything else of the tenant; one statement after the other, each finding what the one before left.
 */
export function undoLateRanges(tenantId: string, rangesJson: string): readonly Statement[] {
  const late = `select distinct r.wal_id from jsonb_to_recordset($2::jsonb) as r (wal_id text, range_index int)
    where not exists (select from wal_ledger l where l.tenant_id = $1 and l.wal_id = r.wal_id and l.range_index = r.range_index)`;
  const documents = `select d.document_uid from documents d where d.tenant_id = $1 and d.wal_id in (${late})`;
  const params = [tenantId, rangesJson];
  const sums = ["chunk_count", "chunk_reused_count", "chunk_failed_count", "token_count"];
  const outcomes = ["indexed", "unchanged", "duplicate", "quarantined", "rejected", "failed"];
  const counts = [
    ...outcomes.map((outcome) => `count(*) filter (where r.outcome = '${outcome}') as ${outcome}_count`),
    ...sums.map((sum) => `coalesce(sum(r.${sum}), 0) as ${sum}`),
  ];
  const names = [...outcomes.map((outcome) => `${outcome}_count`), ...sums];
  return [
    ...["doc_embeddings", "document_signatures", "signature_bands", "documents"].map((table) => ({
      text: `delete from ${table} where tenant_id = $1 and document_uid in (${documents})`,
      params,
    })),
    { text: `delete from dead_letters where tenant_id = $1 and wal_id in (${late})`, params },
    {
      text: `with late as materialized (${late}), touched as materialized (
               select distinct r.batch_tag from receipts r where r.tenant_id = $1 and r.wal_id in (select wal_id from late)
             ), left_over as (
               select t.batch_tag, ${counts.join(", ")} from touched t
               left join receipts r on r.tenant_id = $1 and r.batch_tag = t.batch_tag and r.wal_id not in (select wal_id from late) group by 1
             ), emptied as (
               delete from batches b using touched t where b.tenant_id = $1 and b.batch_tag = t.batch_tag and not exists (
                 select from receipts r where r.tenant_id = $1 and r.batch_tag = t.batch_tag and r.wal_id not in (select wal_id from late))
             )
             update batches b set ${names.map((name) => `${name} = o.${name}`).join(", ")} from left_over o
             where b.tenant_id = $1 and b.batch_tag = o.batch_tag`,
      params,
    },
    { text: `delete from receipts where tenant_id = $1 and wal_id in (${late})`, params },
    { text: `delete from wal_ledger where tenant_id = $1 and wal_id in (${late})`, params },
  ];
}

/** Says that ranges of WAL objects are applied, so that nothing brings them again. */
export function insertAppliedRanges(
  tenantId: string,
  objects: readonly { readonly walId: string; readonly batchTag: string; readonly rangeCount: number }[],
): Statement {
  return {
    text: `insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
           select $1, o.wal_id, i.range_index, o.batch_tag, 'applied', 0 from unnest($2::text[], $3::text[], $4::int[]) as o (wal_id, batch_tag, range_count)
           cross join lateral generate_series(0, o.range_count - 1) as i (range_index) on conflict do nothing`,
    params: [
      tenantId,
      objects.map((each) => each.walId),
      objects.map((each) => each.batchTag),
      objects.map((each) => each.rangeCount),
    ],
  };
}

/** The tombstone of an erasure that ended after the backup. */
export function insertErasure(
  tenantId: string,
  erasure: { readonly userSha256: string; readonly erasureId: string; readonly erasedBefore: string },
): Statement {
  return {
    text: `insert into user_erasures as u (tenant_id, user_hash, erasure_id, erased_before) values ($1, decode($2, 'hex'), $3, $4)
           on conflict (tenant_id, user_hash) do update set erasure_id = excluded.erasure_id, progress = null,
             erased_before = greatest(u.erased_before, excluded.erased_before), erased_at = clock_timestamp()
           where u.erasure_id <> excluded.erasure_id or u.progress is not null`,
    params: [tenantId, erasure.userSha256, erasure.erasureId, erasure.erasedBefore],
  };
}

/** The id behind a hash, where something of the user was restored. */
export function selectUserOfHash(tenantId: string, userSha256: string): Statement {
  const tables = ["documents", "receipts", "quarantine", "profiles", "sessions", "artifacts"];
  const some = tables.map(
    (table) => `select user_id from ${table} where tenant_id = $1 and user_hash(user_id) = decode($2, 'hex')`,
  );
  return { text: `select user_id from (${some.join(" union ")}) u limit 1`, params: [tenantId, userSha256] };
}

export const userOfHashRowSchema = z.object({ user_id: z.string() });

/**
 * Registers the models of a backup under their numbers, none of them active: until the end of a restore nothing is indexed and nothing answers from half of it.
 * The counter of numbers moves behind them: a row that is proposed and refused takes a number.
 */
export function restoreModels(models: string): readonly Statement[] {
  return [
    ...replaceRegistry(models),
    { text: "update embedding_models set state = 'shadow' where state = 'active'", params: [] },
    {
      text: `insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
             select m.fingerprint, m.model_name, m.revision, m.dimensions, m.max_input_tokens, m.state from embedding_models m
             cross join generate_series(1, (select max(model_id) from embedding_models))
             where m.model_id = (select max(model_id) from embedding_models) on conflict (fingerprint) do nothing`,
      params: [],
    },
  ];
}

/** Models whose number means another one in the backup. */
export function selectModelConflicts(models: string): Statement {
  return {
    text: `select count(*)::int as conflict_count from jsonb_populate_recordset(null::embedding_models, $1::jsonb) g
           join embedding_models m on (m.model_id = g.model_id) <> (m.fingerprint = g.fingerprint)`,
    params: [models],
  };
}

export const conflictRowSchema = z.object({ conflict_count: z.int() });
