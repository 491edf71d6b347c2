import type { R2HTTPMetadata } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { S3ListedObject } from "../../s3/list-reply.ts";
import { isMd5, md5Hex } from "./copy-piece.ts";
import type { StoredForm } from "./stored-form.ts";
import type { Ends } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

/** present: something lies there by now, and stays. isVerified: by a hash, not by its length alone. */
export type Brought =
  | { readonly outcome: "brought"; readonly sizeBytes: number; readonly isVerified: boolean }
  | { readonly outcome: "present" };

/** What an object is written with, so that it is as it was. */
export function putOptionsOf({ http, custom }: StoredForm): {
  readonly customMetadata: Record<string, string>;
  readonly httpMetadata: R2HTTPMetadata;
} {
  const { cacheExpiry, ...rest } = http;
  return {
    customMetadata: { ...custom },
    httpMetadata: cacheExpiry === undefined ? rest : { ...rest, cacheExpiry: new Date(cacheExpiry) },
  };
}

/**
 * Brings an object of one piece back, unless something lies there. Held against the MD5 that R2 had of it, or, where it had been written in parts, the
 * one that the remote has.
 */
export async function bringPiece(
  { bucket, remote }: Ends,
  there: S3ListedObject,
  form: StoredForm,
): Promise<Result<Brought, SyncError>> {
  const { key, sizeBytes } = there;
  const read = sizeBytes === 0 ? ok(new Uint8Array(0)) : await remote.get(key, { offset: 0, length: sizeBytes });
  if (!read.ok) return read;
  const md5 = md5Hex(read.value);
  const known = [form.etag, there.etag].find(isMd5);
  if (known !== undefined && known !== md5) return err({ code: "hash_mismatch" });
  const options = { ...putOptionsOf(form), md5, onlyIf: { etagDoesNotMatch: "*" } };
  const put = await bucket.put(key, read.value, options);
  return ok(put === null ? { outcome: "present" } : { outcome: "brought", sizeBytes, isVerified: known !== undefined });
}
