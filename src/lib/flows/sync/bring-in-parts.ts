import type { R2MultipartUpload } from "@cloudflare/workers-types";
import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { S3ListedObject } from "../../s3/list-reply.ts";
import { type Brought, putOptionsOf } from "./bring-piece.ts";
import { etagOfParts } from "./copy-in-parts.ts";
import { md5Hex } from "./copy-piece.ts";
import type { StoredForm } from "./stored-form.ts";
import { type Ends, PARTS_MAX, PIECE_BYTES } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

/** Where an object that comes back in parts stands. */
export const partsBringSchema = z.strictObject({
  key: z.string(),
  /** Of the object at the remote: another one begins anew. */
  etag: z.string(),
  upload_id: z.string(),
  /** In order: the etag that R2 gave, and the MD5 of what came. */
  parts: z.array(z.strictObject({ etag: z.string(), md5: z.string() })).max(PARTS_MAX),
});
export type PartsBring = z.infer<typeof partsBringSchema>;

export interface BringWork {
  readonly there: S3ListedObject;
  readonly form: StoredForm;
  readonly begun: PartsBring | undefined;
  readonly isSpent: () => boolean;
  readonly keep: (bring: PartsBring) => Promise<boolean>;
}

export type PartsBrought = Brought | { readonly outcome: "paused"; readonly begun: PartsBring };

/**
 * Brings a large object back part by part, one part in memory. All of it is held against the etag that S3 makes of parts as large as ours; a server with
 * other etags vouches for its length alone, which is said.
 */
export async function bringInParts(ends: Ends, work: BringWork): Promise<Result<PartsBrought, SyncError>> {
  const { there, isSpent, keep } = work;
  const partCount = Math.ceil(there.sizeBytes / PIECE_BYTES);
  if (partCount > PARTS_MAX) return err({ code: "object_too_large" });
  let bring = await startBring(ends, work);
  const upload = await resumed(ends, bring);
  while (bring.parts.length < partCount) {
    if (isSpent() || !(await keep(bring))) return ok({ outcome: "paused", begun: bring });
    const part = await bringPart(ends, there, { upload, index: bring.parts.length });
    if (!part.ok) return part;
    bring = { ...bring, parts: [...bring.parts, part.value] };
  }
  await keep(bring);
  return complete(ends, there, { upload, bring });
}

/** At once in workerd; outside of it Miniflare's binding answers later. */
async function resumed({ bucket }: Pick<Ends, "bucket">, bring: PartsBring): Promise<R2MultipartUpload> {
  return Promise.resolve(bucket.resumeMultipartUpload(bring.key, bring.upload_id));
}

async function startBring({ bucket }: Ends, { there, form, begun }: BringWork): Promise<PartsBring> {
  if (begun?.key === there.key && begun.etag === there.etag) return begun;
  if (begun !== undefined) {
    try {
      await (await resumed({ bucket }, begun)).abort();
    } catch {
      // R2 has given it up by itself: it does so after a week.
    }
  }
  const upload = await bucket.createMultipartUpload(there.key, putOptionsOf(form));
  return { key: there.key, etag: there.etag, upload_id: upload.uploadId, parts: [] };
}

async function bringPart(
  { remote }: Ends,
  { key, sizeBytes }: S3ListedObject,
  { upload, index }: { readonly upload: R2MultipartUpload; readonly index: number },
): Promise<Result<PartsBring["parts"][number], SyncError>> {
  const offset = index * PIECE_BYTES;
  const read = await remote.get(key, { offset, length: Math.min(PIECE_BYTES, sizeBytes - offset) });
  if (!read.ok) return read;
  const { etag } = await upload.uploadPart(index + 1, read.value);
  return ok({ etag, md5: md5Hex(read.value) });
}

async function complete(
  { bucket }: Ends,
  { key, etag, sizeBytes }: S3ListedObject,
  { upload, bring }: { readonly upload: R2MultipartUpload; readonly bring: PartsBring },
): Promise<Result<PartsBrought, SyncError>> {
  const isTelling = /^[0-9a-f]{32}-\d+$/.test(etag);
  if (isTelling && etag !== etagOfParts(bring.parts.map(({ md5 }) => md5))) {
    await upload.abort();
    return err({ code: "hash_mismatch" });
  }
  if ((await bucket.head(key)) !== null) {
    await upload.abort();
    return ok({ outcome: "present" });
  }
  await upload.complete(bring.parts.map((part, index) => ({ partNumber: index + 1, etag: part.etag })));
  return ok({ outcome: "brought", sizeBytes, isVerified: isTelling });
}
