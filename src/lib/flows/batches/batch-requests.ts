import type { R2Bucket } from "@cloudflare/workers-types";
import { isUlid } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { batchMarkerPrefix, walKey } from "../../wal/wal-key.ts";

/** Requests of one batch that a status counts; a client that sends more in one batch has 100 million documents in it. */
const BATCH_REQUESTS_MAX = 100_000;
/** Objects of one R2 list call. */
const LIST_PAGE_MAX = 1000;

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
  let cursor: string | undefined;
  do {
    const page = await bucket.list({
      prefix,
      limit: LIST_PAGE_MAX,
      include: ["customMetadata"],
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const object of page.objects) {
      const documentCount = Number(object.customMetadata?.["documents"] ?? 0);
      requests.push({ walId: object.key.slice(prefix.length), documentCount });
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined && requests.length < BATCH_REQUESTS_MAX);
  return requests;
}
