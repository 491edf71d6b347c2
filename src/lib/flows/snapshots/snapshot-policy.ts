/** Which snapshots are due and which go: both follow from those that are there, so that a missed, doubled or late tick changes nothing. Pure. */
import { DAY_MS, HOUR_MS } from "../../base/durations.ts";
import type { SnapshotKind } from "../../contract/snapshot.ts";
import { SNAPSHOT_KINDS, SNAPSHOTS_KEPT } from "./snapshot-keys.ts";

interface NamedSnapshot {
  readonly kind: SnapshotKind;
  readonly id: string;
}

/** The first Monday after 1970-01-01, a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;

/** The name of a snapshot that is begun at this time: its hour. */
export function snapshotIdAt(timeMs: number): string {
  const hour = new Date(Math.floor(timeMs / HOUR_MS) * HOUR_MS);
  return hour.toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
}

/** The hour that an id names, milliseconds. */
export function snapshotTimeMs(id: string): number {
  const [, year, month, day, hour] = /^(\d{4})(\d{2})(\d{2})T(\d{2})/.exec(id) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour));
}

/** Kinds of which there is none yet in the hour, the day, the week (from Monday, UTC) of this time. */
export function kindsDue(nowMs: number, present: readonly NamedSnapshot[]): readonly SnapshotKind[] {
  return SNAPSHOT_KINDS.filter((kind) => {
    const now = periodOf(kind, nowMs);
    return !present.some((each) => each.kind === kind && periodOf(kind, snapshotTimeMs(each.id)) === now);
  });
}

/** Those beyond the newest of each kind that are kept. By number, not by age: after a month without runs the old ones are still there. */
export function snapshotsToPrune<S extends NamedSnapshot>(present: readonly S[]): readonly S[] {
  return SNAPSHOT_KINDS.flatMap((kind) => {
    const newestFirst = present.filter((each) => each.kind === kind).toSorted((a, b) => (a.id < b.id ? 1 : -1));
    return newestFirst.slice(SNAPSHOTS_KEPT[kind]);
  });
}

function periodOf(kind: SnapshotKind, timeMs: number): number {
  if (kind === "hourly") return Math.floor(timeMs / HOUR_MS);
  if (kind === "daily") return Math.floor(timeMs / DAY_MS);
  return Math.floor((timeMs - FIRST_MONDAY_MS) / WEEK_MS);
}
