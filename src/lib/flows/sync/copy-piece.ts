import { createHash } from "node:crypto";
import { areEqualBytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { encodeStoredForm, storedFormOf } from "./stored-form.ts";
import type { Ends } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

export const COPY_CONTENT_TYPE = "application/octet-stream";

/** What became of one object. `gone`: it is not in R2 any more, or another one by now, which the next round meets. */
export type Copied = { readonly outcome: "copied"; readonly sizeBytes: number } | { readonly outcome: "gone" };

/**
 * Copies an object in one piece, of at most `PIECE_BYTES`. Read: as many bytes as R2 says, with the MD5 that R2 keeps. Written: the server's etag is that
 * MD5; where a server gives other etags, the copy is read back. A copy that differs is removed.
 */
export async function copyPiece({ bucket, remote }: Ends, key: string): Promise<Result<Copied, SyncError>> {
  const object = await bucket.get(key);
  if (object === null) return ok({ outcome: "gone" });
  const bytes = new Uint8Array(await object.arrayBuffer());
  const md5 = md5Hex(bytes);
  const kept = object.checksums.toJSON().md5;
  if (bytes.length !== object.size || (kept !== undefined && kept !== md5)) return err({ code: "source_damaged" });
  const metadata = encodeStoredForm(storedFormOf(object));
  if (!metadata.ok) return metadata;
  const put = await remote.put(key, bytes, { contentType: COPY_CONTENT_TYPE, metadata: metadata.value });
  if (!put.ok) return put;
  const isRight = put.value.etag === md5 ? ok(true) : await hasBytes(remote, key, bytes);
  if (!isRight.ok) return isRight;
  if (isRight.value) return ok({ outcome: "copied", sizeBytes: bytes.length });
  const removed = await remote.delete(key);
  return removed.ok ? err({ code: "hash_mismatch" }) : removed;
}

async function hasBytes(remote: Ends["remote"], key: string, bytes: Uint8Array): Promise<Result<boolean, SyncError>> {
  const head = await remote.head(key);
  if (!head.ok) return head;
  if (head.value?.sizeBytes !== bytes.length) return ok(false);
  if (bytes.length === 0) return ok(true);
  const read = await remote.get(key, { offset: 0, length: bytes.length });
  return read.ok ? ok(areEqualBytes(read.value, bytes)) : read;
}

/** Whether an etag is the MD5 of what it stands for, as far as its form tells. */
export function isMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

export function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
