import type { R2Object } from "@cloudflare/workers-types";
import { ok, type Result } from "../../base/result.ts";
import type { S3ListedObject } from "../../s3/list-reply.ts";
import { isMd5 } from "./copy-piece.ts";
import { decodeStoredForm, isCopyOf } from "./stored-form.ts";
import type { RemoteStore } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

/**
 * Whether the remote has the object as R2 has it now. Both listings say so for an object of one piece: its etag is the MD5 of its bytes in R2, and in most
 * servers. Otherwise, for large objects, other servers, and copies that look older than the object, the copy's own metadata is asked, which names the etag
 * that R2 had given.
 */
export async function isCopied(
  remote: Pick<RemoteStore, "head">,
  here: R2Object,
  there: S3ListedObject,
): Promise<Result<boolean, SyncError>> {
  if (here.size !== there.sizeBytes) return ok(false);
  const hasSameBytes = isMd5(here.etag) && here.etag === there.etag;
  if (hasSameBytes && there.modifiedAtMs >= here.uploaded.getTime()) return ok(true);
  const head = await remote.head(here.key);
  if (!head.ok) return head;
  const copy = head.value === null ? undefined : decodeStoredForm(head.value.metadata);
  return ok(copy !== undefined && isCopyOf(copy, here));
}
