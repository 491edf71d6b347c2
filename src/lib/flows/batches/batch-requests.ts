import type { R2Bucket } from "@cloudflare/workers-types";
import { isUlid } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import { batchMarkerPrefix, walKey } from "../../wal/wal-key.ts";

/** Pages of a thousand requests of one batch that a status counts; a client that sends more in one batch has 100 million documents in it. */
const BATCH_PAGES_MAX = 100;

/** One accepted request of a batch: its WAL id and how many inputs it has. */
export interface BatchRequest {
  readonly walId: string;
  readonly documentCount: number;
}

/**
 * The accepted requests of a batch, from R2 alone: they are known before any consumer or the database has seen them.
 * A batch named by a client has a marker for each request; an unnamed batch is its one request.
 */
export async function listBatchRequests(
  bucket: R2Bucket,
  tenantId: string,
  batchTag: string,
): Promise<Result<readonly BatchRequest[], { readonly code: "storage_unavailable"; readonly cause: unknown }>> {
  try {
    if (isUlid(batchTag)) return ok(await unnamedBatch(bucket, tenantId, batchTag));
    return ok(await namedBatch(bucket, batchMarkerPrefix(tenantId, batchTag)));
  } catch (cause) {
    return err({ code: "storage_unavailable", cause });
  }
}

async function unnamedBatch(bucket: R2Bucket, tenantId: string, walId: string): Promise<readonly BatchRequest[]> {
  const object = await bucket.head(walKey(tenantId, walId));
  return object === null ? [] : [{ walId, documentCount: Number(object.customMetadata?.["documents"] ?? 0) }];
}

async function namedBatch(bucket: R2Bucket, prefix: string): Promise<readonly BatchRequest[]> {
  const requests: BatchRequest[] = [];
  const listing = { prefix, isWithMetadata: true, pagesMax: BATCH_PAGES_MAX };
  for await (const { key, customMetadata } of listObjects(bucket, listing))
    requests.push({ walId: key.slice(prefix.length), documentCount: Number(customMetadata?.["documents"] ?? 0) });
  return requests;
}
