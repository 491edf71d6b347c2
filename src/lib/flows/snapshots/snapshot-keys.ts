/** Where snapshots lie in R2, and how long each kind is kept. A snapshot is named by the hour in which it was begun, UTC: `yyyymmddThh0000Z`. */
import { type SnapshotKind, snapshotIdSchema } from "../../contract/snapshot.ts";

/** How many of each kind are kept. ops/zfs keeps as many of a self-hoster's datasets. */
export const SNAPSHOTS_KEPT = { hourly: 24, daily: 14, weekly: 8 } as const satisfies Record<SnapshotKind, number>;
export const SNAPSHOT_KINDS = ["hourly", "daily", "weekly"] as const satisfies readonly SnapshotKind[];

/** A snapshot counts once its manifest lies here. */
export function manifestKey(kind: SnapshotKind, id: string): string {
  return `${manifestPrefix(kind)}${id}.json`;
}

export function manifestPrefix(kind: SnapshotKind): string {
  return `snapshots/${kind}/`;
}

/** A listing that has begun and has no manifest yet. */
export const BEGUN_PREFIX = "snapshots/begun/";

export function begunKey(id: string): string {
  return `${BEGUN_PREFIX}${id}.json`;
}

/** Parts of a listing; the manifests of several kinds may name the same ones. */
export const PARTS_PREFIX = "snapshots/parts/";

export function partsPrefix(id: string): string {
  return `${PARTS_PREFIX}${id}/`;
}

export function partKey(id: string, position: number): string {
  return `${partsPrefix(id)}${String(position).padStart(5, "0")}.ndjson.zst`;
}

/** The id in a key of a manifest or a begun listing; undefined for anything else. */
export function idOfKey(key: string): string | undefined {
  const id = /\/([^/]+)\.json$/.exec(key)?.[1];
  return snapshotIdSchema.safeParse(id).success ? id : undefined;
}
