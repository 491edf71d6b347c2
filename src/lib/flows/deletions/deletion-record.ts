/** What R2 remembers of a deletion of documents, so that a database that is restored from before it does not bring them back. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { assert } from "../../base/assert.ts";
import { ulidDay, ulidTimeMs, type Ulid } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { storageUnavailable } from "../problem-of.ts";

export const DELETIONS_PREFIX = "deletions/";

/** Documents of one record: as many as one transaction deletes. */
const DOCUMENTS_MAX = 1_000;

/** Hashes alone: no id, no user, no text. */
export const deletionRecordSchema = z.object({
  version: z.literal(1),
  tenant_id: z.string(),
  document_uids: z.array(z.uuid()).min(1).max(DOCUMENTS_MAX),
  /** Version key: what is older is deleted, what is newer stays. */
  deleted_before: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}-\d{5}$/),
  deleted_at: z.iso.datetime(),
});
export type DeletionRecord = z.infer<typeof deletionRecordSchema>;

/** Keys of a tenant's records, which sort by time. */
export function deletionsPrefix(tenantId: string): string {
  return `${DELETIONS_PREFIX}${tenantId}/`;
}

export function deletionKey(tenantId: string, recordId: Ulid): string {
  return `${deletionsPrefix(tenantId)}${ulidDay(recordId)}/${recordId}.json`;
}

/** Writes the record of a deletion that is about to take place. Errors: `storage_unavailable`. */
export async function recordDeletion(
  { bucket, newUlid }: { readonly bucket: R2Bucket; readonly newUlid: () => Ulid },
  deletion: { readonly tenantId: string; readonly documentUids: readonly string[]; readonly deletedBefore: string },
): Promise<Result<void, Problem>> {
  const { tenantId, documentUids, deletedBefore } = deletion;
  assert(documentUids.length <= DOCUMENTS_MAX, "a deletion names as many documents as a record holds");
  if (documentUids.length === 0) return ok(undefined);
  const recordId = newUlid();
  const record: DeletionRecord = {
    version: 1,
    tenant_id: tenantId,
    document_uids: [...documentUids],
    deleted_before: deletedBefore,
    deleted_at: new Date(ulidTimeMs(recordId)).toISOString(),
  };
  try {
    await bucket.put(deletionKey(tenantId, recordId), JSON.stringify(record), {
      onlyIf: { etagDoesNotMatch: "*" },
      httpMetadata: { contentType: "application/json" },
    });
    return ok(undefined);
  } catch {
    return err(storageUnavailable());
  }
}
