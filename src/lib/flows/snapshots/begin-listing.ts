import type { R2Bucket } from "@cloudflare/workers-types";
import { listNames } from "../../bucket/list-names.ts";
import { type BegunBody, begunListingSchema, type SnapshotKind, type Watermark } from "../../contract/snapshot.ts";
import { SELECT_WATERMARK, watermarkRowSchema } from "../../db/queries/snapshots.ts";
import type { Sql } from "../../db/sql.ts";
import { BACKUPS_PREFIX, manifestKey } from "../backups/manifest.ts";
import { begunKey } from "./snapshot-keys.ts";

interface BeginContext {
  readonly bucket: R2Bucket;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
}

/** Newest backups that are looked at for a manifest: one may be under way, and some may have been cut off. */
const BACKUPS_TRIED_MAX = 20;

/**
 * Writes down that a listing begins, what for, and where databases and backups stand by then. Of two runs that begin the same hour the first one's word
 * stands. Throws when R2 fails.
 */
export async function beginListing(
  { bucket, databases }: BeginContext,
  { id, kinds }: { readonly id: string; readonly kinds: readonly SnapshotKind[] },
): Promise<void> {
  const body: BegunBody = {
    version: 1,
    id,
    kinds: [...kinds],
    watermarks: await readWatermarks(databases),
    backup_key: await newestBackup(bucket),
  };
  await bucket.put(begunKey(id), JSON.stringify(body), {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
  });
}

/** What was written down of a listing; undefined where it has ended. Throws when R2 fails. */
export async function readBegun(
  bucket: R2Bucket,
  id: string,
): Promise<{ readonly body: BegunBody; readonly begunAtMs: number } | undefined> {
  const object = await bucket.get(begunKey(id));
  if (object === null) return undefined;
  return { body: begunListingSchema.parse(await object.json()), begunAtMs: object.uploaded.getTime() };
}

async function readWatermarks(databases: ReadonlyMap<string, Sql>): Promise<Watermark[]> {
  return Promise.all(
    [...databases].map(async ([database, sql]) => {
      const rows = await sql.query(SELECT_WATERMARK);
      if (!rows.ok) return { database, time: null, wal_lsn: null, snapshot: null };
      const { time, wal_lsn, snapshot } = watermarkRowSchema.parse(rows.value[0]);
      return { database, time: time.toISOString(), wal_lsn, snapshot };
    }),
  );
}

/** A backup counts once its manifest is there, which is written last. */
async function newestBackup(bucket: R2Bucket): Promise<string | null> {
  const names = await listNames(bucket, BACKUPS_PREFIX);
  for (const key of names.toSorted().toReversed().slice(0, BACKUPS_TRIED_MAX).map(manifestKey)) {
    if ((await bucket.head(key)) !== null) return key;
  }
  return null;
}
