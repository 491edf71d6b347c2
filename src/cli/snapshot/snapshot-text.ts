/** Snapshots as people read them. */
import type { SnapshotChange, SnapshotManifest } from "../../lib/contract/snapshot.ts";
import { style } from "../terminal/style.ts";
import { tableLines } from "../terminal/table.ts";
import { nameOf, type SnapshotList } from "./snapshot-source.ts";

export function listText({ snapshots, under_way: underWay }: SnapshotList): string {
  const rows = snapshots.map((snapshot) => [
    style.bold(nameOf(snapshot)),
    `${snapshot.object_count} objects`,
    `${snapshot.size_bytes} bytes`,
    snapshot.begun_at,
  ]);
  const lines = snapshots.length === 0 ? ["there is no snapshot yet"] : tableLines(rows);
  return [...lines, ...underWay.map((id) => `${id} is being listed`)].join("\n");
}

export function manifestText(manifest: SnapshotManifest): string {
  const {
    begun_at: begunAt,
    object_count: count,
    size_bytes: size,
    parts,
    backup_key: backupKey,
    watermarks,
  } = manifest;
  return [
    `${style.bold(nameOf(manifest))}: ${count} objects, ${size} bytes in ${parts.length} parts, begun at ${begunAt}`,
    `backup: ${backupKey ?? "none was there"}`,
    ...watermarks.map(
      ({ database, time, wal_lsn: lsn }) => `database ${database}: ${time ?? "no answer"} ${lsn ?? ""}`,
    ),
  ].join("\n");
}

export function changeText({ change, key, before_bytes: before, later_bytes: later }: SnapshotChange): string {
  const sign = { added: style.green("+"), removed: style.red("-"), changed: style.yellow("~") }[change];
  const sizes = change === "changed" ? `${before} → ${later} bytes` : `${later ?? before} bytes`;
  return `${sign} ${key}  ${sizes}`;
}

export function checkText(
  manifest: SnapshotManifest,
  { total, action }: { readonly total: Readonly<Record<string, number>>; readonly action: string },
): string {
  const { present, changed, erased, missing, held } = total;
  const counts = `${present} as they were, ${changed} changed, ${erased} erased, ${missing} missing`;
  if (action === "verify") return `${nameOf(manifest)}: ${counts}; ${held} were removed and are held`;
  const back = action === "restore" ? `${held} came back` : `${held} would come back`;
  const at = manifest.watermarks.map(({ time }) => time).find((time) => time !== null) ?? manifest.begun_at;
  const follows =
    manifest.backup_key === null
      ? "no backup was there then: the database has to find its own way back"
      : `the database follows, into an empty one: jeeves restore --at ${at}`;
  return [`${nameOf(manifest)}: ${back}; ${counts}`, follows].join("\n");
}
