import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { listPages } from "../../bucket/list-objects.ts";
import type { SnapshotObject } from "../../contract/snapshot.ts";
import { RemovalWalk } from "./removal-walk.ts";
import { TRUTH_PREFIXES } from "./truth-prefixes.ts";

/** An object that lies there now. */
export interface ListedObject {
  readonly entry: SnapshotObject;
  /** When it was removed, milliseconds, by the clock of R2: it lies there for a snapshot only. */
  readonly removedAtMs: number | undefined;
  /** It was written anew in its place: an erasure or a redaction took something out of it. */
  readonly isRewritten: boolean;
}

/**
 * Lists the truth in order of keys, from behind `after` ('' for all), in pages of at most 1,000 objects, of which none is empty. Throws when R2 fails.
 */
export async function* listTruth(bucket: R2Bucket, after: string): AsyncGenerator<readonly ListedObject[]> {
  for (const prefix of TRUTH_PREFIXES) {
    const isWithin = after.startsWith(prefix);
    if (after > prefix && !isWithin) continue;
    const startAfter = isWithin ? after : "";
    const removals = new RemovalWalk(bucket, { prefix, after: startAfter });
    for await (const objects of listPages(bucket, { prefix, startAfter, isWithMetadata: true })) {
      if (objects.length === 0) break;
      const page: ListedObject[] = [];
      for (const object of objects) {
        const isRewritten = object.customMetadata?.["created_at"] !== undefined;
        page.push({ entry: entryOf(object), removedAtMs: await removals.removedAtMs(object.key), isRewritten });
      }
      yield page;
    }
  }
}

function entryOf({ key, size, etag, uploaded, customMetadata }: R2Object): SnapshotObject {
  return { key, size_bytes: size, etag, hash: customMetadata?.["hash"] ?? null, uploaded_at: uploaded.toISOString() };
}
