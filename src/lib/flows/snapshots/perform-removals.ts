import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { Semaphore } from "../../base/semaphore.ts";
import { listPage } from "../../bucket/list-objects.ts";
import { createdAtMs, removedObjectKey, REMOVALS_PREFIX, timeOf } from "./removal-marker.ts";
import { isHeld, readSnapshots } from "./snapshot-window.ts";

/** What a walk over all removals found up to now. */
export interface RemovalTally {
  /** Marker behind which the next run goes on; '' from the first. */
  readonly after: string;
  readonly heldCount: number;
  readonly heldBytes: number;
}

/** Calls of a Worker to R2 at the same time. */
const CALLS_AT_ONCE = 6;

/**
 * Performs the removals that no live snapshot holds any more, page by page. Snapshots are looked at after each page of markers: one that began before a
 * marker was written is seen. Throws when R2 fails.
 */
export async function performRemovals(
  bucket: R2Bucket,
  from: RemovalTally,
  { isSpent, isDryRun }: { readonly isSpent: () => boolean; readonly isDryRun: boolean },
): Promise<RemovalTally & { readonly removedCount: number; readonly isDone: boolean }> {
  let { after, heldCount, heldBytes } = from;
  let removedCount = 0;
  for (;;) {
    if (isSpent()) return { after, heldCount, heldBytes, removedCount, isDone: false };
    const page = await listPage(bucket, { prefix: REMOVALS_PREFIX, startAfter: after, isWithMetadata: true });
    const { begun, live } = await readSnapshots(bucket);
    const windows = [...begun, ...live];
    const held = page.objects.filter((marker) => isHeld(timesOf(marker), windows));
    const free = page.objects.filter((marker) => !isHeld(timesOf(marker), windows));
    heldCount += held.length;
    heldBytes += held.reduce((sum, marker) => sum + Number(marker.customMetadata?.["size_bytes"] ?? 0), 0);
    removedCount += isDryRun ? free.length : await perform(bucket, free);
    if (page.next === undefined) return { after: "", heldCount, heldBytes, removedCount, isDone: true };
    after = page.next;
  }
}

/** A marker that does not say when its object came to be is held by every snapshot that began before it. */
function timesOf(marker: R2Object): { readonly createdAtMs: number; readonly removedAtMs: number } {
  return { createdAtMs: timeOf(marker.customMetadata, "created_at") ?? 0, removedAtMs: marker.uploaded.getTime() };
}

/** Removes the objects of markers, then the markers. What was written under the key after its removal is another object, and stays. */
async function perform(bucket: R2Bucket, markers: readonly R2Object[]): Promise<number> {
  const calls = new Semaphore(CALLS_AT_ONCE);
  const found = await Promise.all(
    markers.map((marker) =>
      calls.run(async () => {
        const object = await bucket.head(removedObjectKey(marker.key));
        return object !== null && createdAtMs(object) <= marker.uploaded.getTime() ? [object.key] : [];
      }),
    ),
  );
  const keys = found.flat();
  if (keys.length > 0) await bucket.delete(keys);
  if (markers.length > 0) await bucket.delete(markers.map(({ key }) => key));
  return keys.length;
}
