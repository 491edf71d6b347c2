/**
 * A removal that waits: `removals/<key of the object>`. It sorts as its object does, so that a listing of objects is joined with their markers page by
 * page. The object lies where it lay until no live snapshot holds it.
 */
import type { R2Object } from "@cloudflare/workers-types";

export const REMOVALS_PREFIX = "removals/";

export function removalKey(objectKey: string): string {
  return `${REMOVALS_PREFIX}${objectKey}`;
}

export function removedObjectKey(markerKey: string): string {
  return markerKey.slice(REMOVALS_PREFIX.length);
}

/**
 * When an object came to be, by the clock of R2. What is written anew in its place, as an erasure does, keeps the time of its first form as metadata
 * `created_at`. The listing or head that it comes from has asked for metadata.
 */
export function createdAtMs(object: Pick<R2Object, "uploaded" | "customMetadata">): number {
  return timeOf(object.customMetadata, "created_at") ?? object.uploaded.getTime();
}

/** The same of a marker's object: what its removal wrote down. Undefined: it did not say, and whatever there is holds the object. */
export function timeOf(metadata: Readonly<Record<string, string>> | undefined, name: string): number | undefined {
  const timeMs = Date.parse(metadata?.[name] ?? "");
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
