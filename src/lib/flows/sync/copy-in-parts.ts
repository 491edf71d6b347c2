import { createHash } from "node:crypto";
import type { R2Object } from "@cloudflare/workers-types";
import { z } from "zod";
import { areEqualBytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { S3Upload } from "../../s3/s3-client.ts";
import { COPY_CONTENT_TYPE, type Copied, md5Hex } from "./copy-piece.ts";
import { encodeStoredForm, storedFormOf } from "./stored-form.ts";
import { type Ends, PARTS_MAX, PIECE_BYTES } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

/** Where a copy in parts stands: what the next run goes on from. */
export const partsCopySchema = z.strictObject({
  key: z.string(),
  /** Of the object in R2: another one begins anew. */
  etag: z.string(),
  upload_id: z.string(),
  /** Of the parts that the remote has, in order. */
  part_etags: z.array(z.string()).max(PARTS_MAX),
  /** Whether each of them is the MD5 of its part, so that the etag of the whole says what it holds. */
  is_md5: z.boolean(),
});
export type PartsCopy = z.infer<typeof partsCopySchema>;

export interface PartsWork {
  readonly object: R2Object;
  /** What an earlier run left, of this object or of another one. */
  readonly begun: PartsCopy | undefined;
  /** Looked at before each part. */
  readonly isSpent: () => boolean;
  /** Keeps where the copy stands; false: another run has taken over. */
  readonly keep: (copy: PartsCopy) => Promise<boolean>;
}

/** `paused`: the time is over, the upload waits. */
export type PartsCopied = Copied | { readonly outcome: "paused"; readonly begun: PartsCopy };

/**
 * Copies a large object part by part, one part in memory. Each part is read only if the object is still the one that was begun with, and kept in the
 * cursor once the remote has it. Nothing is seen under the key before all are there. The whole is verified by the etag that S3 makes of the MD5 of its
 * parts; where a server makes another one, it is read back and held against R2.
 */
export async function copyInParts(ends: Ends, work: PartsWork): Promise<Result<PartsCopied, SyncError>> {
  const { object, isSpent, keep } = work;
  const partCount = Math.ceil(object.size / PIECE_BYTES);
  if (partCount > PARTS_MAX) return err({ code: "object_too_large" });
  const started = await startCopy(ends, work);
  if (!started.ok) return started;
  let copy = started.value;
  while (copy.part_etags.length < partCount) {
    if (isSpent() || !(await keep(copy))) return ok({ outcome: "paused", begun: copy });
    const part = await copyPart(ends, object, copy);
    if (!part.ok) return part;
    if (part.value === undefined) return giveUp(ends, copy);
    copy = part.value;
  }
  await keep(copy);
  return complete(ends, object, copy);
}

const uploadOf = ({ key, upload_id: uploadId }: PartsCopy): S3Upload => ({ key, uploadId });

async function startCopy({ remote }: Ends, { object, begun }: PartsWork): Promise<Result<PartsCopy, SyncError>> {
  if (begun?.key === object.key && begun.etag === object.etag) return ok(begun);
  if (begun !== undefined) {
    const aborted = await remote.abortUpload(uploadOf(begun));
    if (!aborted.ok) return aborted;
  }
  const metadata = encodeStoredForm(storedFormOf(object));
  if (!metadata.ok) return metadata;
  const options = { contentType: COPY_CONTENT_TYPE, metadata: metadata.value };
  const upload = await remote.createUpload(object.key, options);
  if (!upload.ok) return upload;
  const { uploadId } = upload.value;
  return ok({ key: object.key, etag: object.etag, upload_id: uploadId, part_etags: [], is_md5: true });
}

/** Undefined: the object is not the one any more. */
async function copyPart(
  { bucket, remote }: Ends,
  object: R2Object,
  copy: PartsCopy,
): Promise<Result<PartsCopy | undefined, SyncError>> {
  const index = copy.part_etags.length;
  const bytes = await readPart(bucket, object, index);
  if (bytes === undefined) return ok(undefined);
  if (bytes.length !== lengthOf(object, index)) return err({ code: "source_damaged" });
  const sent = await remote.uploadPart(uploadOf(copy), index + 1, bytes);
  if (!sent.ok) return sent;
  const { etag } = sent.value;
  return ok({ ...copy, part_etags: [...copy.part_etags, etag], is_md5: copy.is_md5 && etag === md5Hex(bytes) });
}

const lengthOf = ({ size }: R2Object, index: number): number => Math.min(PIECE_BYTES, size - index * PIECE_BYTES);

async function readPart(
  bucket: Ends["bucket"],
  object: R2Object,
  index: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const range = { offset: index * PIECE_BYTES, length: lengthOf(object, index) };
  const read = await bucket.get(object.key, { range, onlyIf: { etagMatches: object.etag } });
  // Not `"body" in read`: outside workerd, Miniflare's binding takes that for the reading itself.
  return read === null || !("arrayBuffer" in read) ? undefined : new Uint8Array(await read.arrayBuffer());
}

async function giveUp({ remote }: Ends, copy: PartsCopy): Promise<Result<PartsCopied, SyncError>> {
  const aborted = await remote.abortUpload(uploadOf(copy));
  return aborted.ok ? ok({ outcome: "gone" }) : aborted;
}

async function complete(ends: Ends, object: R2Object, copy: PartsCopy): Promise<Result<PartsCopied, SyncError>> {
  const { remote } = ends;
  const completed = await remote.completeUpload(uploadOf(copy), copy.part_etags);
  // A run that died after it had completed the upload, or a reply that was lost: what lies there is held against R2.
  const isRepeat = !completed.ok && completed.error.code === "s3_upload_missing";
  if (!completed.ok && !isRepeat) return completed;
  const isProved = completed.ok && copy.is_md5 && completed.value.etag === etagOfParts(copy.part_etags);
  const isRight = isProved ? ok(true) : await holdsSame(ends, object);
  if (!isRight.ok) return isRight;
  if (isRight.value === undefined) return ok({ outcome: "gone" });
  if (isRight.value) return ok({ outcome: "copied", sizeBytes: object.size });
  if (isRepeat) return completed;
  const removed = await remote.delete(object.key);
  return removed.ok ? err({ code: "hash_mismatch" }) : removed;
}

/** The etag that S3 gives to an object of these parts. */
export function etagOfParts(partMd5s: readonly string[]): string {
  const joined = Uint8Array.from(
    partMd5s.flatMap((hex) => hex.match(/../g) ?? []),
    (byte) => Number.parseInt(byte, 16),
  );
  return `${createHash("md5").update(joined).digest("hex")}-${partMd5s.length}`;
}

/** Both ends part by part. Undefined: the object is not the one any more. */
async function holdsSame({ bucket, remote }: Ends, object: R2Object): Promise<Result<boolean | undefined, SyncError>> {
  const head = await remote.head(object.key);
  if (!head.ok) return head;
  if (head.value?.sizeBytes !== object.size) return ok(false);
  for (let index = 0; index * PIECE_BYTES < object.size; index += 1) {
    const ours = await readPart(bucket, object, index);
    if (ours === undefined) return ok(undefined);
    const theirs = await remote.get(object.key, { offset: index * PIECE_BYTES, length: ours.length });
    if (!theirs.ok) return theirs;
    if (!areEqualBytes(ours, theirs.value)) return ok(false);
  }
  return ok(true);
}
