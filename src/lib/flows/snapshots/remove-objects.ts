import type { R2Bucket } from "@cloudflare/workers-types";
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { KEYS_PER_CALL } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { storageUnavailable } from "../problem-of.ts";
import { createdAtMs, removalKey } from "./removal-marker.ts";
import { isHeld, readSnapshots } from "./snapshot-window.ts";

interface RemovalContext {
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly newUlid: () => string;
}

/** Calls of a Worker to R2 at the same time. */
const CALLS_AT_ONCE = 6;
/** Characters of a reason: it is metadata of each marker. */
const WHY_CHARACTERS_MAX = 100;

/**
 * Removes objects. What no live snapshot names goes at once (`removedCount`, with what is not there any more); the rest gets a marker and stays until
 * the job `snapshot` finds that no live snapshot holds it (`keptCount`). Snapshots that are begun later do not name it. Repeating it is harmless: the
 * first marker stands. `why` is a fixed phrase of ASCII, never a text of a tenant. Not for erasures: those delete at once, snapshot or not.
 *
 * Each key costs a head and a put, each page of 1,000 four listings. Errors: `storage_unavailable`; what has its marker by then goes by the job.
 */
export async function removeObjects(
  context: RemovalContext,
  keys: readonly string[],
  why: string,
): Promise<Result<{ readonly removedCount: number; readonly keptCount: number }, Problem>> {
  assert(why.length <= WHY_CHARACTERS_MAX && /^[ -~]+$/.test(why), "a reason is a short phrase of ASCII");
  const metadata = {
    why,
    removal_id: context.newUlid(),
    removed_at: new Date(context.clock()).toISOString(),
  };
  const distinct = [...new Set(keys)];
  let keptCount = 0;
  try {
    for (let from = 0; from < distinct.length; from += KEYS_PER_CALL) {
      keptCount += await removePage(context.bucket, distinct.slice(from, from + KEYS_PER_CALL), metadata);
    }
    return ok({ removedCount: distinct.length - keptCount, keptCount });
  } catch {
    return err(storageUnavailable());
  }
}

/**
 * Markers first, then a look at the snapshots: a snapshot writes its begun object first, then looks at the markers. R2 shows each what the other wrote
 * before it looked, so that no object goes that a snapshot is about to name. Returns how many stay.
 */
async function removePage(
  bucket: R2Bucket,
  keys: readonly string[],
  metadata: Readonly<Record<string, string>>,
): Promise<number> {
  const marked = await markAll(bucket, keys, metadata);
  if (marked.length === 0) return 0;
  const { begun, live } = await readSnapshots(bucket);
  const windows = [...begun, ...live];
  const removedAtMs = Number.POSITIVE_INFINITY;
  const free = marked.filter((object) => !isHeld({ createdAtMs: object.createdAtMs, removedAtMs }, windows));
  if (free.length > 0) {
    await bucket.delete(free.map(({ key }) => key));
    await bucket.delete(free.map(({ key }) => removalKey(key)));
  }
  return marked.length - free.length;
}

/** Writes a marker for each object that is there, and says when those came to be. */
async function markAll(
  bucket: R2Bucket,
  keys: readonly string[],
  metadata: Readonly<Record<string, string>>,
): Promise<readonly { readonly key: string; readonly createdAtMs: number }[]> {
  const calls = new Semaphore(CALLS_AT_ONCE);
  const marked = await Promise.all(
    keys.map((key) =>
      calls.run(async () => {
        const object = await bucket.head(key);
        if (object === null) return [];
        const bornAtMs = createdAtMs(object);
        await bucket.put(removalKey(key), "", {
          onlyIf: { etagDoesNotMatch: "*" },
          customMetadata: {
            ...metadata,
            created_at: new Date(bornAtMs).toISOString(),
            size_bytes: String(object.size),
          },
        });
        return [{ key, createdAtMs: bornAtMs }];
      }),
    ),
  );
  return marked.flat();
}
