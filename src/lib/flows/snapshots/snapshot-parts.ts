/**
 * The parts of a listing. Each is written once: where two runs list at the same time, the first one's part stands, and the other goes on behind it, so that
 * parts always follow each other without a gap. What a part covers stands in its metadata: a run that takes over reads no part.
 */
import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { z } from "zod";
import { sha256HexSync } from "../../base/hash.ts";
import { listAll } from "../../bucket/list-objects.ts";
import type { SnapshotObject, SnapshotPart } from "../../contract/snapshot.ts";
import { encodePart } from "./part-codec.ts";
import { partKey, partsPrefix } from "./snapshot-keys.ts";

/** A part with what its own object says of it. */
export interface StoredPart extends SnapshotPart {
  /** Nothing comes behind it. */
  readonly isLast: boolean;
}

export interface NewPart {
  readonly after: string;
  readonly last: string;
  readonly isLast: boolean;
  readonly objects: readonly SnapshotObject[];
}

/** Pages of one listing of parts: ten thousand parts are fifty million objects. */
const PAGES_MAX = 10;

const countSchema = z.string().regex(/^\d+$/).transform(Number);
const metadataSchema = z.object({
  after: z.string(),
  last: z.string(),
  is_last: z.enum(["true", "false"]),
  object_count: countSchema,
  size_bytes: countSchema,
  sha256: z.string(),
});

/** The parts of a listing in their order. Throws when R2 fails or a part lacks its metadata. */
export async function readParts(bucket: R2Bucket, id: string): Promise<readonly StoredPart[]> {
  const objects = await listAll(bucket, { prefix: partsPrefix(id), isWithMetadata: true, pagesMax: PAGES_MAX });
  return objects.map(partOf);
}

/** Writes a part, or finds the one that another run has written in its place. Throws when R2 fails. */
export async function writePart(
  bucket: R2Bucket,
  { id, position }: { readonly id: string; readonly position: number },
  { after, last, isLast, objects }: NewPart,
): Promise<StoredPart | undefined> {
  const key = partKey(id, position);
  const bytes = encodePart(objects);
  const metadata = {
    after,
    last,
    is_last: isLast ? "true" : "false",
    object_count: String(objects.length),
    size_bytes: String(objects.reduce((sum, object) => sum + object.size_bytes, 0)),
    sha256: sha256HexSync(bytes),
  };
  const put = await bucket.put(key, bytes, { onlyIf: { etagDoesNotMatch: "*" }, customMetadata: metadata });
  const stored = put ?? (await bucket.head(key));
  return stored === null
    ? undefined
    : partOf({ key, customMetadata: put === null ? (stored.customMetadata ?? {}) : metadata });
}

/** Whether the parts cover everything: each begins where the one before ended, and the last one is the end. */
export function isWhole(parts: readonly StoredPart[]): boolean {
  return parts.at(-1)?.isLast === true && parts.every((part, index) => part.after === (parts[index - 1]?.last ?? ""));
}

function partOf({ key, customMetadata }: Pick<R2Object, "key" | "customMetadata">): StoredPart {
  const { is_last: isLast, ...facts } = metadataSchema.parse(customMetadata);
  return { key, ...facts, isLast: isLast === "true" };
}
