import type { R2Bucket } from "@cloudflare/workers-types";
import { listNames } from "../../bucket/list-names.ts";
import { listPages } from "../../bucket/list-objects.ts";
import { manifestKey, PARTS_PREFIX, partsPrefix } from "./snapshot-keys.ts";
import { snapshotsToPrune } from "./snapshot-policy.ts";
import { type LiveSnapshot, readSnapshots } from "./snapshot-window.ts";

/**
 * Removes the manifests that the policy does not keep, then parts that neither a manifest nor a listing under way needs. Parts are looked at first, then
 * listings under way, then manifests: whoever began in between is seen. Returns what is left, and how many manifests go, or would. Throws when R2 fails.
 */
export async function pruneSnapshots(
  bucket: R2Bucket,
  { isSpent, isDryRun }: { readonly isSpent: () => boolean; readonly isDryRun: boolean },
): Promise<{ readonly left: readonly LiveSnapshot[]; readonly prunedCount: number; readonly isDone: boolean }> {
  const listed = await listNames(bucket, PARTS_PREFIX);
  const { begun, live } = await readSnapshots(bucket);
  const pruned = snapshotsToPrune(live);
  const left = live.filter((each) => !pruned.includes(each));
  const outcome = { left, prunedCount: pruned.length };
  if (isDryRun) return { ...outcome, isDone: true };
  if (pruned.length > 0) await bucket.delete(pruned.map(({ kind, id }) => manifestKey(kind, id)));
  const kept = new Set([...begun, ...left].map(({ id }) => id));
  for (const id of listed.filter((name) => !kept.has(name))) {
    for await (const page of listPages(bucket, { prefix: partsPrefix(id) })) {
      if (isSpent()) return { ...outcome, isDone: false };
      if (page.length > 0) await bucket.delete(page.map(({ key }) => key));
    }
  }
  return { ...outcome, isDone: true };
}
