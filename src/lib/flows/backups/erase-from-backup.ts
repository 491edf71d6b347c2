/** A user taken out of a backup: files written anew under their keys without what is theirs, manifests after them. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import type { PackReaderOptions } from "../../artifact/pack-reader.ts";
import { PackWriter, type PackWriterOptions } from "../../artifact/pack-writer.ts";
import { assert } from "../../base/assert.ts";
import { joinBytes } from "../../base/bytes.ts";
import { sha256HexSync } from "../../base/hash.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import { listBackupFiles } from "./backup-tenant.ts";
import { type Line, readLines, writeFile, writeLines } from "./line-file.ts";
import {
  type BackupFile,
  backupManifestSchema,
  BACKUPS_PREFIX,
  manifestKey,
  tenantManifestKey,
  tenantManifestSchema,
  writeJson,
} from "./manifest.ts";
import { openBackupPack } from "./restore-documents.ts";

/** What of a user has to go: versions before one, and rows without a version that were written before a moment. */
export interface ErasedFromBackups {
  readonly userId: string;
  readonly before: string;
  readonly at: Date;
}

export interface BackupEraser {
  readonly bucket: R2Bucket;
  readonly zstd: PackReaderOptions["zstd"] & PackWriterOptions["zstd"];
}

/** Rows and records of the user in a file; undefined where it cannot be read. Rejects when R2 fails. With `isErasing` the file is written anew without them. */
export async function eraseFromFile(
  eraser: BackupEraser,
  file: BackupFile,
  { user, isErasing }: { readonly user: ErasedFromBackups; readonly isErasing: boolean },
): Promise<number | undefined> {
  return file.key.endsWith(".mpz")
    ? eraseRecords(eraser, file, user, isErasing)
    : eraseLines(eraser, file, user, isErasing);
}

async function eraseRecords(
  { bucket, zstd }: BackupEraser,
  file: BackupFile,
  user: ErasedFromBackups,
  isErasing: boolean,
): Promise<number | undefined> {
  const opened = await openBackupPack(bucket, file, zstd);
  if (!opened.ok) return unreadable(opened.error);
  const { reader } = opened.value;
  const kept: PackRecord[] = [];
  let erasedCount = 0;
  for (const block of reader.footer.blocks.keys()) {
    const records = await reader.readBlock(block);
    if (!records.ok) return undefined;
    const own = records.value.filter(
      (record) => record.user_id === user.userId && (record.version_key ?? "") < user.before,
    );
    erasedCount += own.length;
    if (isErasing) kept.push(...records.value.filter((record) => !own.includes(record)));
  }
  if (!isErasing || erasedCount === 0) return erasedCount;
  const pieces: Uint8Array[] = [];
  const { head, vectors } = reader.footer;
  const writer = new PackWriter({
    zstd,
    dictionary: null,
    head,
    vectors,
    derivations: {},
    limits: PACK_LIMITS,
    sink: { write: async (piece) => void pieces.push(piece) },
  });
  for (const record of kept) assert((await writer.add(record)).ok, "less than there was");
  const finished = await writer.finish();
  assert(finished.ok, "less than there was");
  const rowCount = finished.value.recordCount;
  await writeFile(bucket, { key: file.key, bytes: joinBytes(pieces), rowCount, rawBytes: 0 });
  return erasedCount;
}

async function eraseLines(
  { bucket }: BackupEraser,
  file: BackupFile,
  user: ErasedFromBackups,
  isErasing: boolean,
): Promise<number | undefined> {
  const lines = await readLines(bucket, file);
  if (!lines.ok) return unreadable(lines.error);
  // Most files hold nothing of a user: their lines are not parsed.
  const marks = [JSON.stringify(user.userId), sha256HexSync(user.userId)];
  let erasedCount = 0;
  const kept: Line[] = [];
  for (const line of lines.value) {
    const left = marks.some((mark) => line.json.includes(mark)) ? withoutUser(line, user) : line.json;
    if (left !== line.json) erasedCount += 1;
    if (left !== undefined) kept.push({ table: line.table, json: left });
  }
  if (!isErasing || erasedCount === 0) return erasedCount;
  const text = kept.map(({ table, json }) => `["${table}",${json}]\n`).join("");
  await writeLines(bucket, file.key, { text, rowCount: kept.length });
  return erasedCount;
}

const rowSchema = z.looseObject({
  user_id: z.string().default(""),
  version_key: z.string().default(""),
  wal_id: z.string().default(""),
  user_hashes: z.array(z.string()).default([]),
});
const reasonsSchema = z.array(z.record(z.string(), z.unknown())).catch([]);

/** When a row without a version was written. */
const TIME_COLUMNS: Readonly<Record<string, string>> = {
  profiles: "recorded_at",
  sessions: "updated_at",
  artifacts: "created_at",
};

/** The row as it may stay: as it is, disowned, or not at all. The rules are those of the tables (src/lib/db/queries/erase-user.ts). */
function withoutUser({ table, json }: Line, user: ErasedFromBackups): string | undefined {
  const row = rowSchema.parse(JSON.parse(json));
  if (table === "dictionaries") return row.user_hashes.includes(`\\x${sha256HexSync(user.userId)}`) ? undefined : json;
  if (row.user_id !== user.userId) return json;
  if (table === "documents" || table === "kept" || table === "quarantine")
    return row.version_key < user.before ? undefined : json;
  if (table === "receipts") return (row.version_key || row.wal_id) < user.before ? disowned(row) : json;
  // Members have no time and no version: those of a backup go with its documents.
  if (table === "artifact_members") return undefined;
  const written = row[TIME_COLUMNS[table] ?? ""];
  return typeof written === "string" && Date.parse(written) < user.at.getTime() ? undefined : json;
}

function disowned(row: z.infer<typeof rowSchema>): string {
  const { user_hashes: _hashes, ...receipt } = row;
  const reasons = reasonsSchema.parse(row["reasons"]).map(({ detail: _detail, ...reason }) => reason);
  const nobody = { user_id: "*", document_id: "", document_uid: null, version_key: "", duplicate_of: null };
  return JSON.stringify({ ...receipt, ...nobody, reasons });
}

function unreadable(code: string): undefined {
  if (code === "storage_unavailable") throw new Error(code);
  return undefined;
}

/** Makes the manifests say what the files of a tenant are now. Repeating it is harmless; what has no manifest yet gets it from the files. */
export async function settleManifests(bucket: R2Bucket, backupId: string, tenantId: string): Promise<void> {
  const key = tenantManifestKey(backupId, tenantId);
  const tenant = tenantManifestSchema.safeParse(await (await bucket.get(key))?.json());
  if (!tenant.success) return;
  const listed = await listBackupFiles(bucket, `${BACKUPS_PREFIX}${backupId}/${tenantId}/`);
  const now = new Map(listed.map((file) => [file.key, file]));
  const files = tenant.data.files.map((file) => now.get(file.key) ?? file);
  const { sha256 } = await writeJson(bucket, key, { ...tenant.data, files });
  const manifest = backupManifestSchema.safeParse(await (await bucket.get(manifestKey(backupId)))?.json());
  if (!manifest.success || manifest.data.tenants.every((each) => each.tenant_id !== tenantId || each.sha256 === sha256))
    return;
  const tenants = manifest.data.tenants.map((each) => (each.tenant_id === tenantId ? { ...each, sha256 } : each));
  await writeJson(bucket, manifestKey(backupId), { ...manifest.data, tenants });
}
