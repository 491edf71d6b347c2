/** Where snapshots lie in R2, and how long each kind is kept. A snapshot is named by the hour in which it was begun, UTC: `yyyymmddThh0000Z`. */

/** How many of each kind are kept. ops/zfs keeps as many of a self-hoster's datasets. */
const SNAPSHOTS_KEPT = { hourly: 24, daily: 14, weekly: 8 } as const;
export type SnapshotKind = keyof typeof SNAPSHOTS_KEPT;
export const SNAPSHOT_KINDS = ["hourly", "daily", "weekly"] as const satisfies readonly SnapshotKind[];

const SNAPSHOT_ID = /^\d{8}T\d{2}0000Z$/;

export function manifestPrefix(kind: SnapshotKind): string {
  return `snapshots/${kind}/`;
}

/** A listing that has begun and has no manifest yet. */
export const BEGUN_PREFIX = "snapshots/begun/";

/** The id in a key of a manifest or a begun listing; undefined for anything else. */
export function idOfKey(key: string): string | undefined {
  const id = /\/([^/]+)\.json$/.exec(key)?.[1];
  return id !== undefined && SNAPSHOT_ID.test(id) ? id : undefined;
}
