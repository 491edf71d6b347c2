import type { R2Bucket } from "@cloudflare/workers-types";
import { manifestKey, PARTS_PREFIX } from "./snapshot-keys.ts";
import { snapshotsToPrune } from "./snapshot-policy.ts";
import { type LiveSnapshot, readSnapshots } from "./snapshot-window.ts";

/** Pages of 1,000 listings whose parts lie there: 46 snapshots have 46 at most. */
const KEYS_PER_PAGE = 1_000;

/**
 * Removes the manifests that the policy does not keep, then parts that neither a manifest nor a listing under way needs. Parts are looked at first, then
 * listings under way, then manifests: whoever began in between is seen. Returns what is left, and how many manifests go, or would. Throws when R2 fails.
 */
export async function pruneSnapshots(
  bucket: R2Bucket,
  { isSpent, isDryRun }: { readonly isSpent: () => boolean; readonly isDryRun: boolean },
): Promise<{ readonly left: readonly LiveSnapshot[]; readonly prunedCount: number; readonly isDone: boolean }> {
  const listings = await bucket.list({ prefix: PARTS_PREFIX, delimiter: "/", limit: KEYS_PER_PAGE });
  const { begun, live } = await readSnapshots(bucket);
  const pruned = snapshotsToPrune(live);
  const left = live.filter((each) => !pruned.includes(each));
  const outcome = { left, prunedCount: pruned.length };
  if (isDryRun) return { ...outcome, isDone: true };
  if (pruned.length > 0) await bucket.delete(pruned.map(({ kind, id }) => manifestKey(kind, id)));
  const kept = new Set([...begun, ...left].map(({ id }) => id));
  const orphaned = listings.delimitedPrefixes.filter((prefix) => !kept.has(prefix.slice(PARTS_PREFIX.length, -1)));
  for (const prefix of orphaned) {
    for (;;) {
      if (isSpent()) return { ...outcome, isDone: false };
      const { objects } = await bucket.list({ prefix, limit: KEYS_PER_PAGE });
      if (objects.length === 0) break;
      await bucket.delete(objects.map(({ key }) => key));
    }
  }
  return { ...outcome, isDone: true };
}
