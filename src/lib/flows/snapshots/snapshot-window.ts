import type { R2Bucket } from "@cloudflare/workers-types";
import { listObjects } from "../../bucket/list-objects.ts";
import type { SnapshotKind } from "../../contract/snapshot.ts";
import { BEGUN_PREFIX, idOfKey, manifestPrefix, SNAPSHOT_KINDS } from "./snapshot-keys.ts";
import { timeOf } from "./removal-marker.ts";

/** The time in which a snapshot looked at the bucket, milliseconds, by the clock of R2. */
export interface SnapshotWindow {
  readonly begunAtMs: number;
  /** Infinity: it still looks. */
  readonly endedAtMs: number;
}

/** A snapshot that counts. */
export interface LiveSnapshot extends SnapshotWindow {
  readonly kind: SnapshotKind;
  readonly id: string;
  readonly objectCount: number;
  readonly sizeBytes: number;
}

/** A listing under way. */
export interface BegunListing extends SnapshotWindow {
  readonly id: string;
}

export interface SnapshotsNow {
  readonly begun: readonly BegunListing[];
  readonly live: readonly LiveSnapshot[];
}

/** Pages of one listing of manifests: the policy keeps 24 of a kind, a page has 1,000. */
const PAGES_MAX = 10;
/** Servers of R2 may differ so much in what time it is, milliseconds. */
const CLOCK_SLACK_MS = 1_000;

/**
 * Snapshots that count, and listings under way. Those are read first: a listing's manifest is written before its begun object goes, so that none is
 * missed between the two. Throws when R2 fails.
 */
export async function readSnapshots(bucket: R2Bucket): Promise<SnapshotsNow> {
  const begun: BegunListing[] = [];
  for await (const object of listObjects(bucket, { prefix: BEGUN_PREFIX, pagesMax: PAGES_MAX })) {
    const id = idOfKey(object.key);
    if (id !== undefined) begun.push({ id, begunAtMs: object.uploaded.getTime(), endedAtMs: Number.POSITIVE_INFINITY });
  }
  const live: LiveSnapshot[] = [];
  for (const kind of SNAPSHOT_KINDS) {
    const listing = { prefix: manifestPrefix(kind), isWithMetadata: true, pagesMax: PAGES_MAX };
    for await (const { key, uploaded, customMetadata } of listObjects(bucket, listing)) {
      const id = idOfKey(key);
      if (id === undefined) continue;
      // Without its metadata a manifest holds whatever came before it.
      const begunAtMs = timeOf(customMetadata, "begun_at") ?? 0;
      const [objectCount, sizeBytes] = [countOf(customMetadata, "object_count"), countOf(customMetadata, "size_bytes")];
      live.push({ kind, id, begunAtMs, endedAtMs: uploaded.getTime(), objectCount, sizeBytes });
    }
  }
  return { begun, live };
}

/**
 * Whether a snapshot may name an object that came to be and was removed at these times: it looked while the object was there. What was removed before
 * a snapshot began is in none of its parts.
 */
export function isHeld(
  object: { readonly createdAtMs: number; readonly removedAtMs: number },
  windows: readonly SnapshotWindow[],
): boolean {
  return windows.some(
    ({ begunAtMs, endedAtMs }) => object.createdAtMs <= endedAtMs && object.removedAtMs >= begunAtMs - CLOCK_SLACK_MS,
  );
}

function countOf(metadata: Readonly<Record<string, string>> | undefined, name: string): number {
  return Number(metadata?.[name] ?? 0);
}
