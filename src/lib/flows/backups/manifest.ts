/** What makes files of a backup a backup. docs/FORMATS.md has the tree. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { HOUR_MS } from "../../base/durations.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listNames } from "../../bucket/list-names.ts";
import { storeVariantSchema } from "../../db/queries/models.ts";

export const BACKUPS_PREFIX = "backups/";
/** How far clocks may be apart, milliseconds: a record of a deletion has the Worker's, a tenant's backup the database's. */
export const CLOCKS_APART_MS = HOUR_MS;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** One object of a backup. */
export const backupFileSchema = z.strictObject({
  key: z.string(),
  sha256: sha256Schema,
  size_bytes: z.int().min(0),
  /** Lines, or records of a pack. */
  row_count: z.int().min(0),
  /** Of a file of lines, decompressed; 0 for a pack. */
  raw_bytes: z.int().min(0),
});
export type BackupFile = z.infer<typeof backupFileSchema>;

export const tenantManifestSchema = z.strictObject({
  version: z.literal(1),
  tenant_id: z.string(),
  backup_id: z.string(),
  /** The backup that holds the documents which did not change; null: this one holds all. */
  base: z.string().nullable(),
  /** By the database's clock, when the watermark was taken: what came before is in here. */
  begun_at: z.iso.datetime(),
  watermark: z.string().describe("transaction id"),
  /** Rows by table; documents that did not change count too. */
  counts: z.record(z.string(), z.int().min(0)),
  files: z.array(backupFileSchema),
});
export type TenantManifest = z.infer<typeof tenantManifestSchema>;

export const backupManifestSchema = z.strictObject({
  version: z.literal(1),
  backup_id: z.string(),
  kind: z.enum(["full", "delta"]),
  /** The backup before; null for a full one. */
  base: z.string().nullable(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  schema_version: z.int(),
  variant: storeVariantSchema,
  /** Rows of the registry of models, as JSON text. */
  models: z.string(),
  size_bytes: z.int().min(0),
  tenants: z.array(z.strictObject({ tenant_id: z.string(), key: z.string(), sha256: sha256Schema })),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

/** Why an object of a backup cannot be used. */
export type BackupFault = "missing" | "damaged" | "unreadable" | "storage_unavailable";

export const manifestKey = (backupId: string): string => `${BACKUPS_PREFIX}${backupId}/manifest.json`;
export const tenantManifestKey = (backupId: string, tenantId: string): string =>
  `${BACKUPS_PREFIX}${backupId}/${tenantId}/tenant.json`;

/** Name of a backup by when it began: `yyyymmddThhmmssZ`. */
export function backupIdOf(startedAtMs: number): string {
  return `${new Date(startedAtMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** When a backup of this name began, milliseconds. */
export function backupTimeMs(backupId: string): number {
  const [, date = "", time = ""] = /^(\d{8})T(\d{6})Z$/.exec(backupId) ?? [];
  return Date.parse(`${date.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`);
}

/** Names of all backups, oldest first, whether whole or not. */
export async function listBackupIds(bucket: R2Bucket): Promise<readonly string[]> {
  const ids = await listNames(bucket, BACKUPS_PREFIX);
  return ids.filter((id) => !Number.isNaN(backupTimeMs(id))).sort();
}

/** A whole backup, or why it is none. */
export function readManifest(bucket: R2Bucket, backupId: string): Promise<Result<BackupManifest, BackupFault>> {
  return readJson(bucket, manifestKey(backupId), backupManifestSchema);
}

/** What a backup has of one tenant; `sha256` is what the manifest says of it. */
export function readTenantManifest(
  bucket: R2Bucket,
  file: { readonly key: string; readonly sha256: string },
): Promise<Result<TenantManifest, BackupFault>> {
  return readJson(bucket, file.key, tenantManifestSchema, file.sha256);
}

async function readJson<T>(
  bucket: R2Bucket,
  key: string,
  schema: z.ZodType<T>,
  sha256?: string,
): Promise<Result<T, BackupFault>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return err("missing");
    const text = await object.text();
    const expected = sha256 ?? object.customMetadata?.["hash"];
    if (expected !== undefined && sha256HexSync(text) !== expected) return err("damaged");
    const parsed = schema.safeParse(parsedJson(text));
    return parsed.success ? ok(parsed.data) : err("unreadable");
  } catch {
    return err("storage_unavailable");
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes a manifest; gives what another manifest says of it. */
export async function writeJson(
  bucket: R2Bucket,
  key: string,
  content: TenantManifest | BackupManifest,
): Promise<{ readonly key: string; readonly sha256: string }> {
  const text = JSON.stringify(content);
  const sha256 = sha256HexSync(text);
  await bucket.put(key, text, { httpMetadata: { contentType: "application/json" }, customMetadata: { hash: sha256 } });
  return { key, sha256 };
}
