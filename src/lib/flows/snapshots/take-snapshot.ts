import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import {
  type BegunBody,
  type SnapshotKind,
  type SnapshotManifest,
  snapshotManifestSchema,
  type SnapshotObject,
} from "../../contract/snapshot.ts";
import type { Sql } from "../../db/sql.ts";
import { beginListing, readBegun } from "./begin-listing.ts";
import { listTruth } from "./list-truth.ts";
import { PART_OBJECTS_MAX } from "./part-codec.ts";
import { begunKey, manifestKey } from "./snapshot-keys.ts";
import { isWhole, readParts, type StoredPart, writePart } from "./snapshot-parts.ts";
import { kindsDue, snapshotIdAt } from "./snapshot-policy.ts";
import { readSnapshots } from "./snapshot-window.ts";
import { TRUTH_PREFIXES } from "./truth-prefixes.ts";

export interface TakeContext {
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly databases: ReadonlyMap<string, Sql>;
}

export interface TakenSnapshot {
  /** null: none was due and none was under way. */
  readonly id: string | null;
  readonly kinds: readonly SnapshotKind[];
  /** listing: the next run goes on with it. broken: its parts had a gap, and it begins anew. */
  readonly state: "none_due" | "due" | "listing" | "complete" | "broken";
  readonly partCount: number;
  readonly objectCount: number;
}

const NONE: TakenSnapshot = { id: null, kinds: [], state: "none_due", partCount: 0, objectCount: 0 };

/**
 * Goes on with the listing that is under way, or begins one where a kind is due, until it is complete or the time is over. Everything it needs to know lies
 * in the bucket. It names every object that was there, and not removed, when it began; of what came since, what it met. Throws when R2 fails.
 */
export async function takeSnapshot(
  context: TakeContext,
  { isSpent, isDryRun }: { readonly isSpent: () => boolean; readonly isDryRun: boolean },
): Promise<TakenSnapshot> {
  const { bucket, clock } = context;
  const { begun, live } = await readSnapshots(bucket);
  const underWay = begun[0]?.id;
  const kinds = underWay === undefined ? kindsDue(clock(), live) : [];
  const id = underWay ?? snapshotIdAt(clock());
  if (underWay === undefined && kinds.length === 0) return NONE;
  if (isDryRun) return { ...NONE, id, kinds, state: underWay === undefined ? "due" : "listing" };
  if (underWay === undefined) await beginListing(context, { id, kinds });
  const listing = await readBegun(bucket, id);
  // Another run has ended it in the meantime.
  if (listing === undefined) return NONE;
  const parts = await listParts(bucket, { id, begunAtMs: listing.begunAtMs, isSpent });
  return endListing(bucket, { ...listing, parts });
}

interface Listing {
  readonly id: string;
  readonly begunAtMs: number;
  readonly isSpent: () => boolean;
}

/** Writes parts until the last one or until the time is over. Holds one part. */
async function listParts(bucket: R2Bucket, { id, begunAtMs, isSpent }: Listing): Promise<readonly StoredPart[]> {
  const parts = [...(await readParts(bucket, id))];
  while (parts.at(-1)?.isLast !== true && !isSpent()) {
    const after = parts.at(-1)?.last ?? "";
    const collected = await collect(bucket, { after, begunAtMs, isSpent });
    const part = await writePart(bucket, { id, position: parts.length }, { after, ...collected });
    // Gone between two calls: its listing has ended.
    if (part === undefined) break;
    parts.push(part);
  }
  return parts;
}

/** Objects of the next part. What was removed before the listing began is left out, though it may lie there for an older snapshot. */
async function collect(
  bucket: R2Bucket,
  { after, begunAtMs, isSpent }: Omit<Listing, "id"> & { readonly after: string },
): Promise<{ readonly objects: readonly SnapshotObject[]; readonly last: string; readonly isLast: boolean }> {
  const objects: SnapshotObject[] = [];
  let last = after;
  for await (const page of listTruth(bucket, after)) {
    for (const { entry, removedAtMs } of page) {
      if (removedAtMs === undefined || removedAtMs >= begunAtMs) objects.push(entry);
      last = entry.key;
    }
    if (objects.length + LISTED_MAX > PART_OBJECTS_MAX || isSpent()) return { objects, last, isLast: false };
  }
  return { objects, last, isLast: true };
}

/** Objects of one page of a listing. */
const LISTED_MAX = 1_000;

async function endListing(
  bucket: R2Bucket,
  listing: { readonly body: BegunBody; readonly begunAtMs: number; readonly parts: readonly StoredPart[] },
): Promise<TakenSnapshot> {
  const { body, parts } = listing;
  const objectCount = parts.reduce((sum, part) => sum + part.object_count, 0);
  const taken = { id: body.id, kinds: body.kinds, partCount: parts.length, objectCount };
  if (parts.at(-1)?.isLast !== true) return { ...taken, state: "listing" };
  if (!isWhole(parts)) {
    await bucket.delete(begunKey(body.id));
    return { ...taken, state: "broken" };
  }
  for (const kind of body.kinds) await writeManifest(bucket, manifestOf(kind, listing));
  await bucket.delete(begunKey(body.id));
  return { ...taken, state: "complete" };
}

function manifestOf(
  kind: SnapshotKind,
  {
    body,
    begunAtMs,
    parts,
  }: { readonly body: BegunBody; readonly begunAtMs: number; readonly parts: readonly StoredPart[] },
): SnapshotManifest {
  return snapshotManifestSchema.parse({
    version: 1,
    id: body.id,
    kind,
    begun_at: new Date(begunAtMs).toISOString(),
    watermarks: body.watermarks,
    backup_key: body.backup_key,
    prefixes: [...TRUTH_PREFIXES],
    object_count: parts.reduce((sum, part) => sum + part.object_count, 0),
    size_bytes: parts.reduce((sum, part) => sum + part.size_bytes, 0),
    parts,
  });
}

async function writeManifest(bucket: R2Bucket, manifest: SnapshotManifest): Promise<void> {
  await bucket.put(manifestKey(manifest.kind, manifest.id), JSON.stringify(manifest), {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
    customMetadata: {
      begun_at: manifest.begun_at,
      object_count: String(manifest.object_count),
      size_bytes: String(manifest.size_bytes),
    },
  });
}
