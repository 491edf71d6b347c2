import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  type SnapshotEntry,
  type SnapshotKind,
  type SnapshotManifest,
  snapshotManifestSchema,
  type SnapshotObject,
  type SnapshotPart,
} from "../../contract/snapshot.ts";
import { storageUnavailable } from "../problem-of.ts";
import { decodePart } from "./part-codec.ts";
import { manifestKey } from "./snapshot-keys.ts";
import { readSnapshots } from "./snapshot-window.ts";

export interface SnapshotName {
  readonly kind: SnapshotKind;
  readonly id: string;
}

/** Every snapshot that counts, newest first within its kind, and the listings under way. */
export async function listSnapshots(
  bucket: R2Bucket,
): Promise<Result<{ readonly snapshots: readonly SnapshotEntry[]; readonly under_way: readonly string[] }, Problem>> {
  try {
    const { begun, live } = await readSnapshots(bucket);
    const snapshots = live.map(({ kind, id, begunAtMs, endedAtMs, objectCount, sizeBytes }) => ({
      kind,
      id,
      begun_at: new Date(begunAtMs).toISOString(),
      ended_at: new Date(endedAtMs).toISOString(),
      object_count: objectCount,
      size_bytes: sizeBytes,
    }));
    return ok({ snapshots: snapshots.toReversed(), under_way: begun.map(({ id }) => id) });
  } catch {
    return err(storageUnavailable());
  }
}

/** Errors: `not_found`, `storage_unavailable`; `conflict` where the manifest is damaged. */
export async function readManifest(
  bucket: R2Bucket,
  { kind, id }: SnapshotName,
): Promise<Result<SnapshotManifest, Problem>> {
  const object = await bucket.get(manifestKey(kind, id)).catch(() => undefined);
  if (object === undefined) return err(storageUnavailable());
  if (object === null) return err({ code: "not_found", detail: "there is no such snapshot" });
  const manifest = snapshotManifestSchema.safeParse(await object.json().catch(() => undefined));
  return manifest.success ? ok(manifest.data) : err({ code: "conflict", detail: "the manifest is damaged" });
}

/** The objects of one part. Errors: `storage_unavailable`; `conflict` where the part is damaged or gone. */
export async function readPart(
  bucket: R2Bucket,
  { key, sha256 }: SnapshotPart,
): Promise<Result<readonly SnapshotObject[], Problem>> {
  try {
    const object = await bucket.get(key);
    const decoded = object === null ? undefined : decodePart(new Uint8Array(await object.arrayBuffer()), sha256);
    return decoded?.ok === true ? decoded : err({ code: "conflict", detail: `${key} is damaged or gone` });
  } catch {
    return err(storageUnavailable());
  }
}

/** An object as the snapshot names it. Errors: `not_found`, and those of `readPart`. */
export async function findObject(
  bucket: R2Bucket,
  manifest: SnapshotManifest,
  key: string,
): Promise<Result<SnapshotObject, Problem>> {
  const part = manifest.parts.find(({ after, last }) => after < key && key <= last);
  const objects = part === undefined ? ok([]) : await readPart(bucket, part);
  if (!objects.ok) return objects;
  const found = objects.value.find((object) => object.key === key);
  return found === undefined ? err({ code: "not_found", detail: "the snapshot names no such object" }) : ok(found);
}
