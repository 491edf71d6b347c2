import type { R2Bucket } from "@cloudflare/workers-types";
import { firstUlidOf } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { listPage } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { restoreTombstones } from "../../db/queries/restore-tombstones.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { deletionKey, type DeletionRecord, deletionRecordSchema, deletionsPrefix } from "./deletion-record.ts";

interface ReplayContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
}

/** Records of one step: each is read by itself, and most name one document. */
const RECORDS_PER_PAGE = 500;
/** Calls of a Worker to R2 at the same time. */
const CALLS_AT_ONCE = 6;
/** Documents of one transaction. */
const DOCUMENTS_PER_TRANSACTION = 1_000;

/** The key from behind which a replay of all deletions since a moment begins. */
export function replayStart(tenantId: string, sinceMs: number): string {
  return deletionKey(tenantId, firstUlidOf(Math.max(0, sinceMs)));
}

/**
 * Repeats the deletions of a tenant whose records follow a key. Repeating them is harmless: a version that came after its document's deletion stays.
 * `next` is the key to go on behind, undefined behind the last. What cannot be read as a record is passed over. Throws when R2 fails.
 */
export async function replayDeletionsPage(
  { sql, bucket }: ReplayContext,
  { tenantId, after }: { readonly tenantId: string; readonly after: string },
): Promise<Result<{ readonly documentCount: number; readonly next: string | undefined }, Problem>> {
  const listing = { prefix: deletionsPrefix(tenantId), startAfter: after, keysMax: RECORDS_PER_PAGE };
  const { objects, next } = await listPage(bucket, listing);
  const calls = new Semaphore(CALLS_AT_ONCE);
  const read = await Promise.all(objects.map(({ key }) => calls.run(() => readRecord(bucket, key))));
  const versions = newestOf(read.flat());
  for (let from = 0; from < versions.length; from += DOCUMENTS_PER_TRANSACTION) {
    const statements = restoreTombstones(tenantId, versions.slice(from, from + DOCUMENTS_PER_TRANSACTION));
    const written = await sql.transaction({ tenantId, userId: "*" }, statements);
    if (!written.ok) return err(problemOfSql(written.error));
  }
  return ok({ documentCount: versions.length, next });
}

async function readRecord(bucket: R2Bucket, key: string): Promise<readonly DeletionRecord[]> {
  const object = await bucket.get(key);
  const parsed = deletionRecordSchema.safeParse(await object?.json().catch(() => undefined));
  return parsed.success ? [parsed.data] : [];
}

/** The last deletion of each document. */
function newestOf(
  records: readonly DeletionRecord[],
): readonly { readonly documentUid: string; readonly versionKey: string }[] {
  const newest = new Map<string, string>();
  for (const { document_uids: documentUids, deleted_before: versionKey } of records)
    for (const documentUid of documentUids)
      if (versionKey > (newest.get(documentUid) ?? "")) newest.set(documentUid, versionKey);
  return [...newest].map(([documentUid, versionKey]) => ({ documentUid, versionKey }));
}
