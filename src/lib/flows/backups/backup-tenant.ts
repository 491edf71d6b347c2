/**
 * The backup of one tenant, a piece at a time: mark and watermark, the ledger, documents, everything else, what was applied meanwhile, its manifest. What
 * the ledger's file holds was applied before any other page was read; a restore undoes what else it finds applied, and the WAL brings it again.
 */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  baseMarkRowSchema,
  deleteMarksBefore,
  documentPageRowSchema,
  endedErasuresRowSchema,
  FIRST_UID,
  markBackup,
  markRowSchema,
  selectBaseMark,
  selectDocumentPage,
  selectEndedErasures,
  selectLateRanges,
  selectTablePage,
  tablePageRowSchema,
} from "../../db/queries/backup.ts";
import { type BackedTable, KIN_TABLES, LEDGER_TABLE } from "../../db/queries/backup-tables.ts";
import type { StoreVariant } from "../../db/queries/models.ts";
import type { Row, Sql, Statement } from "../../db/sql.ts";
import type { PackWriterOptions } from "../../artifact/pack-writer.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import { problemOfSql } from "../problem-of.ts";
import { type BackedModel, DocumentPart } from "./document-part.ts";
import { LineFile, writeLines } from "./line-file.ts";
import { BACKUPS_PREFIX, type BackupFile, tenantManifestKey, writeJson } from "./manifest.ts";

/** Rows of one page of a table: a response of the database has at most 64 MB. */
const ROWS_MAX = 1_000;
const DOCUMENTS_PER_PAGE = 500;
const CHUNKS_PER_PAGE = 1_500;
/** Name under which ranges that were applied meanwhile stand among the rows. */
export const LATE_RANGES = "late_ranges";

/** Where the backup of a tenant stands. */
export const tenantStateSchema = z.object({
  tenant_id: z.string(),
  base: z.string().nullable(),
  /** Watermark of the base, '' for none. */
  since: z.string(),
  watermark: z.string(),
  begun_at: z.iso.datetime(),
  step: z.enum(["ledger", "documents", "rows", "done"]),
  /** Place in `KIN_TABLES`. */
  table: z.int(),
  /** Key of the last row written. */
  after: z.array(z.string()),
  /** Files written, by step. */
  parts: z.object({ ledger: z.int(), documents: z.int(), rows: z.int() }),
  counts: z.record(z.string(), z.int()),
});
export type TenantState = z.infer<typeof tenantStateSchema>;

export interface TenantBackup {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly zstd: PackWriterOptions["zstd"];
  readonly backupId: string;
  readonly startedAtMs: number;
  readonly variant: StoreVariant;
  readonly models: ReadonlyMap<number, BackedModel>;
}

/** Marks the tenant. `baseId`: the backup before, if it has the tenant. */
export async function beginTenant(
  backup: TenantBackup,
  tenantId: string,
  baseId: string | null,
): Promise<Result<TenantState, Problem>> {
  const rows = await backup.sql.transaction(scopeOf(tenantId), [
    selectBaseMark(tenantId, baseId ?? ""),
    markBackup(tenantId, backup.backupId),
    ...(baseId === null ? [] : [deleteMarksBefore(tenantId, baseId)]),
  ]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const base = rows.value[0]?.[0];
  const { watermark, begun_at: begunAt } = markRowSchema.parse(rows.value[1]?.[0]);
  return ok({
    tenant_id: tenantId,
    base: base === undefined ? null : baseId,
    since: base === undefined ? "" : baseMarkRowSchema.parse(base).watermark,
    watermark,
    begun_at: begunAt.toISOString(),
    step: "ledger",
    table: 0,
    after: [],
    parts: { ledger: 0, documents: 0, rows: 0 },
    counts: {},
  });
}

/** Writes the next file of the tenant, or finds that none is left (`step` "done"). */
export function writeNext(backup: TenantBackup, state: TenantState): Promise<Result<TenantState, Problem>> {
  if (state.step === "ledger") return writeTables(backup, state, [LEDGER_TABLE]);
  return state.step === "documents" ? writeDocuments(backup, state) : writeTables(backup, state, KIN_TABLES);
}

async function writeTables(
  backup: TenantBackup,
  state: TenantState,
  tables: readonly BackedTable[],
): Promise<Result<TenantState, Problem>> {
  const step = state.step === "ledger" ? "ledger" : "rows";
  const file = new LineFile();
  const counts = { ...state.counts };
  let { table, after } = state;
  while (table <= tables.length && !file.isFull) {
    const source = tables[table];
    // Behind the last table of the rows: what was applied meanwhile.
    if (source === undefined && step === "ledger") break;
    const page = { after, rowsMax: ROWS_MAX };
    const rows = await read(
      backup,
      state,
      source === undefined
        ? selectLateRanges(state.tenant_id, state.watermark, page)
        : selectTablePage(state.tenant_id, source, page),
    );
    if (!rows.ok) return rows;
    const name = source?.name ?? LATE_RANGES;
    for (const row of rows.value) {
      const { row: json, key } = tablePageRowSchema.parse(row);
      file.add(name, json);
      after = key;
    }
    counts[name] = (counts[name] ?? 0) + rows.value.length;
    if (rows.value.length === ROWS_MAX) continue;
    table += 1;
    after = [];
  }
  const isLast = table >= tables.length + (step === "rows" ? 1 : 0);
  const part = state.parts[step] + 1;
  await writeLines(backup.bucket, `${prefixOf(backup, state)}${step}-${part}.jsonl.zst`, {
    text: file.text(),
    rowCount: file.rowCount,
  });
  const parts = { ...state.parts, [step]: part };
  if (!isLast) return ok({ ...state, parts, counts, table, after });
  return ok({ ...state, parts, counts, table: 0, after: [], step: step === "ledger" ? "documents" : "done" });
}

async function writeDocuments(backup: TenantBackup, state: TenantState): Promise<Result<TenantState, Problem>> {
  const number = state.parts.documents + 1;
  const { zstd, variant, models, startedAtMs: createdAtMs } = backup;
  const keyPrefix = `${prefixOf(backup, state)}documents-${number}`;
  const part = new DocumentPart({ zstd, variant, models, createdAtMs, keyPrefix, tenantId: state.tenant_id });
  const counts = { ...state.counts };
  const add = (table: string, count: number): void => void (counts[table] = (counts[table] ?? 0) + count);
  let [afterUid = FIRST_UID] = state.after;
  let isLast = false;
  while (!part.isFull && !isLast) {
    const page = { watermark: state.since, afterUid, rowsMax: DOCUMENTS_PER_PAGE, chunksMax: CHUNKS_PER_PAGE };
    const rows = await read(backup, state, selectDocumentPage(state.tenant_id, variant, page));
    if (!rows.ok) return rows;
    for (const row of rows.value) {
      const document = documentPageRowSchema.parse(row);
      await part.add(document);
      afterUid = document.document_uid;
      add("documents", 1);
      add(
        "doc_embeddings",
        document.models.reduce((sum, [, count]) => sum + count, 0),
      );
    }
    // A page that is cut short by its chunks has fewer rows as well: only an empty one is the end.
    isLast = rows.value.length === 0;
  }
  await part.write(backup.bucket);
  const parts = { ...state.parts, documents: number };
  return ok(
    isLast ? { ...state, parts, counts, step: "rows", after: [] } : { ...state, parts, counts, after: [afterUid] },
  );
}

async function read(
  backup: TenantBackup,
  state: TenantState,
  statement: Statement,
): Promise<Result<readonly Row[], Problem>> {
  const rows = await backup.sql.transaction(scopeOf(state.tenant_id), [statement], { readOnly: true });
  return rows.ok ? ok(rows.value[0] ?? []) : err(problemOfSql(rows.error));
}

/**
 * Writes the tenant's manifest. False: somebody's erasure ended while the tenant was read, so that a file may hold what is gone; the tenant begins again.
 */
export async function finishTenant(backup: TenantBackup, state: TenantState): Promise<Result<boolean, Problem>> {
  const rows = await read(backup, state, selectEndedErasures(state.tenant_id, state.watermark));
  if (!rows.ok) return rows;
  if (endedErasuresRowSchema.parse(rows.value[0]).ended_count > 0) return ok(false);
  const { tenant_id, base, begun_at, watermark, counts } = state;
  const files = await listFiles(backup, state);
  await writeJson(backup.bucket, tenantManifestKey(backup.backupId, tenant_id), {
    version: 1,
    tenant_id,
    backup_id: backup.backupId,
    base,
    begun_at,
    watermark,
    counts,
    files,
  });
  return ok(true);
}

/** The tenant's files as R2 has them. A run that died may have left parts behind the last one: they are no part of the backup, and go. */
async function listFiles(backup: TenantBackup, state: TenantState): Promise<BackupFile[]> {
  const prefix = prefixOf(backup, state);
  const listed = await listBackupFiles(backup.bucket, prefix);
  const isOwn = ({ key }: BackupFile): boolean => {
    const [, step, part] = /^(ledger|documents|rows)-(\d+)\./.exec(key.slice(prefix.length)) ?? [];
    const [count] = Object.entries(state.parts).flatMap(([name, parts]) => (name === step ? [parts] : []));
    return count !== undefined && Number(part) <= count;
  };
  const foreign = listed.filter((file) => !isOwn(file) && !file.key.endsWith("/tenant.json"));
  if (foreign.length > 0) await backup.bucket.delete(foreign.map(({ key }) => key));
  return listed.filter(isOwn);
}

/** Files under a prefix, with what their metadata say of them, in order of their names. */
export async function listBackupFiles(bucket: R2Bucket, prefix: string): Promise<readonly BackupFile[]> {
  const files: BackupFile[] = [];
  for await (const { key, size, customMetadata = {} } of listObjects(bucket, { prefix, isWithMetadata: true })) {
    const { hash = "", rows = "0", raw = "0" } = customMetadata;
    files.push({ key, sha256: hash, size_bytes: size, row_count: Number(rows), raw_bytes: Number(raw) });
  }
  return files;
}

function prefixOf({ backupId }: TenantBackup, { tenant_id: tenantId }: TenantState): string {
  return `${BACKUPS_PREFIX}${backupId}/${tenantId}/`;
}

function scopeOf(tenantId: string): { readonly tenantId: string; readonly userId: string } {
  return { tenantId, userId: "*" };
}
