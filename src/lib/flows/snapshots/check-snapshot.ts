import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import { KEYS_PER_CALL } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import type {
  ObjectState,
  SnapshotCheck,
  SnapshotManifest,
  SnapshotObject,
  SnapshotPart,
} from "../../contract/snapshot.ts";
import type { Sql } from "../../db/sql.ts";
import { storageUnavailable } from "../problem-of.ts";
import { erasedAmong } from "./erased-since.ts";
import { type ListedObject, listTruth } from "./list-truth.ts";
import { readPart } from "./read-snapshots.ts";
import { removalKey } from "./removal-marker.ts";

interface CheckContext {
  readonly bucket: R2Bucket;
  readonly sql: Sql;
}

interface CheckRequest {
  readonly manifest: SnapshotManifest;
  /** Position of the part. */
  readonly position: number;
  /** Takes back the removal of objects that are still there: they stay when the snapshot goes. */
  readonly takesBack: boolean;
}

/**
 * Holds one part of a snapshot against the bucket: each object is there with its etag, or is named with what became of it. Reads no object: R2 says what
 * lies there. Errors: `not_found` for a part beyond the last, and those of `readPart`.
 */
export async function checkPart(
  context: CheckContext,
  { manifest, position, takesBack }: CheckRequest,
): Promise<Result<SnapshotCheck, Problem>> {
  const part = manifest.parts[position];
  if (part === undefined) return err({ code: "not_found", detail: "the snapshot has no such part" });
  const entries = await readPart(context.bucket, part);
  if (!entries.ok) return entries;
  try {
    const found = await objectsOf(context.bucket, part);
    const states = await statesOf(context, { manifest, entries: entries.value, found });
    const held = entries.value.filter(({ key }) => found.get(key)?.removedAtMs !== undefined).map(({ key }) => key);
    if (takesBack) await takeBack(context.bucket, held);
    const counts = { present: entries.value.length - states.length, changed: 0, erased: 0, missing: 0 };
    for (const { state } of states) counts[state] += 1;
    const next = position + 1 < manifest.parts.length ? position + 1 : null;
    return ok({ part: position, ...counts, held: held.length, taken_back: takesBack, named: states, next_part: next });
  } catch {
    return err(storageUnavailable());
  }
}

/** What lies there now, of the stretch of keys that the part covers. */
async function objectsOf(bucket: R2Bucket, part: SnapshotPart): Promise<ReadonlyMap<string, ListedObject>> {
  const found = new Map<string, ListedObject>();
  for await (const page of listTruth(bucket, part.after)) {
    for (const listed of page) if (listed.entry.key <= part.last) found.set(listed.entry.key, listed);
    if ((page.at(-1)?.entry.key ?? "") >= part.last) break;
  }
  return found;
}

interface Compared {
  readonly manifest: SnapshotManifest;
  readonly entries: readonly SnapshotObject[];
  readonly found: ReadonlyMap<string, ListedObject>;
}

/** Objects that are not what they were, with what became of them. */
async function statesOf(
  context: CheckContext,
  { manifest, entries, found }: Compared,
): Promise<SnapshotCheck["named"]> {
  const gone = entries.filter(({ key }) => !found.has(key)).map(({ key }) => key);
  const erased = await erasedAmong(context, gone, new Date(manifest.begun_at));
  return entries.flatMap(({ key, etag }): SnapshotCheck["named"] => {
    const listed = found.get(key);
    if (listed?.entry.etag === etag) return [];
    return [{ key, state: stateOf(listed, erased.has(key)) }];
  });
}

function stateOf(listed: ListedObject | undefined, isErased: boolean): ObjectState {
  if (listed === undefined) return isErased ? "erased" : "missing";
  return listed.isRewritten ? "erased" : "changed";
}

async function takeBack(bucket: R2Bucket, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += KEYS_PER_CALL) {
    await bucket.delete(keys.slice(from, from + KEYS_PER_CALL).map(removalKey));
  }
}
