import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import type { S3ListedObject } from "../../s3/list-reply.ts";
import { compareKeys } from "./key-order.ts";
import { type Ends, isTruth, type RemoteStore } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

/** One key with what either end has of it; at least one of them has something. */
export interface Pair {
  readonly key: string;
  readonly here: R2Object | undefined;
  readonly there: S3ListedObject | undefined;
}

/**
 * Walks both buckets side by side in the order of their keys, behind `startAfter`, a page of each in memory. Ends after an error. What is not copied is
 * passed over on both sides.
 */
export async function* pairedListing(
  { bucket, remote }: Ends,
  startAfter: string,
): AsyncGenerator<Result<Pair, SyncError>, void> {
  const here = ascending(listHere(bucket, startAfter), startAfter);
  const there = ascending(listThere(remote, startAfter), startAfter);
  try {
    let [ours, theirs] = await Promise.all([nextOf(here), nextOf(there)]);
    while (ours !== undefined || theirs !== undefined) {
      if (ours?.ok === false) return yield ours;
      if (theirs?.ok === false) return yield theirs;
      const [our, their] = [ours?.value, theirs?.value];
      const order = our === undefined ? 1 : their === undefined ? -1 : compareKeys(our.key, their.key);
      const key = (order <= 0 ? our?.key : their?.key) ?? "";
      yield ok({ key, here: order <= 0 ? our : undefined, there: order >= 0 ? their : undefined });
      if (order <= 0) ours = await nextOf(here);
      if (order >= 0) theirs = await nextOf(there);
    }
  } catch {
    yield err({ code: "storage_unavailable" });
  }
}

async function nextOf<T>(listed: AsyncGenerator<T, void>): Promise<T | undefined> {
  const { value } = await listed.next();
  return value ?? undefined;
}

async function* listHere(bucket: R2Bucket, startAfter: string): AsyncGenerator<Result<R2Object, SyncError>, void> {
  for await (const object of listObjects(bucket, { prefix: "", startAfter, isWithMetadata: true })) yield ok(object);
}

async function* listThere(
  remote: RemoteStore,
  startAfter: string,
): AsyncGenerator<Result<S3ListedObject, SyncError>, void> {
  let after = startAfter;
  for (;;) {
    const page = await remote.list({ startAfter: after });
    if (!page.ok) return yield page;
    for (const object of page.value.objects) yield ok(object);
    after = page.value.objects.at(-1)?.key ?? after;
    if (!page.value.isTruncated || page.value.objects.length === 0) return;
  }
}

/** A server that lists out of order would make present objects look missing. */
async function* ascending<T extends { readonly key: string }>(
  listed: AsyncGenerator<Result<T, SyncError>, void>,
  startAfter: string,
): AsyncGenerator<Result<T, SyncError>, void> {
  let last = startAfter;
  for await (const item of listed) {
    if (!item.ok) return yield item;
    const { key } = item.value;
    if (compareKeys(last, key) >= 0) return yield err({ code: "listing_unordered" });
    last = key;
    if (isTruth(key)) yield item;
  }
}
