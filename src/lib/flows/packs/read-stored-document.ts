import { err, ok, type Result } from "../../base/result.ts";
import { packPlaceRowSchema, selectPackOfVersion } from "../../db/queries/packs.ts";
import { readWalDocument } from "../../wal/read-wal-document.ts";
import { parseWalKey } from "../../wal/wal-key.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";
import type { PackReadContext } from "./context.ts";
import { openTenantPack } from "./open-tenant-pack.ts";
import { type StoredInput, storedInputOf } from "./pack-record.ts";

/** Looks at the registry: a pack may be written anew, under another name, between the look and the read. */
const ATTEMPTS_MAX = 3;

/**
 * An input that the row of a document was made of, with its text: from its WAL object, or from the pack that holds the document once that object has gone
 * (one query and three reads). Errors: `wal_missing` where neither has it, `storage_unavailable`, and what makes bytes unusable.
 */
export async function readStoredDocument(
  context: PackReadContext,
  place: { readonly key: string; readonly documentIndex: number },
): Promise<Result<StoredInput, { readonly code: string }>> {
  const read = await readWalDocument(context.bucket, place, WAL_LIMITS);
  if (read.ok || read.error.code !== "wal_missing") return read;
  const { tenantId = "", walId = "" } = parseWalKey(place.key) ?? {};
  let last: Result<StoredInput, { readonly code: string }> = read;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    last = await readPacked(context, { tenantId, walId, documentIndex: place.documentIndex });
    if (last.ok || last.error.code !== "storage_unavailable") return last;
  }
  return last;
}

async function readPacked(
  context: PackReadContext,
  version: { readonly tenantId: string; readonly walId: string; readonly documentIndex: number },
): Promise<Result<StoredInput, { readonly code: string }>> {
  const { tenantId } = version;
  const rows = await context.sql.transaction({ tenantId, userId: "*" }, [selectPackOfVersion(tenantId, version)], {
    readOnly: true,
  });
  if (!rows.ok) return err({ code: rows.error.code });
  const row = rows.value[0]?.[0];
  if (row === undefined) return err({ code: "wal_missing" });
  const { object_key: key, size_bytes: sizeBytes, position } = packPlaceRowSchema.parse(row);
  const reader = await openTenantPack(context, { tenantId, key, sizeBytes });
  if (!reader.ok) return err({ code: reader.error.code });
  const record = await reader.value.readRecord(position);
  if (!record.ok) return err({ code: record.error.code });
  const input = record.value === undefined ? undefined : storedInputOf(tenantId, record.value);
  const isAsked = input?.head.wal_id === version.walId && input.document.document_index === version.documentIndex;
  return isAsked && input !== undefined ? ok(input) : err({ code: "pack_damaged" });
}
