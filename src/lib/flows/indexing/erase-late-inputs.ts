import { ok, type Result } from "../../base/result.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { quarantineKey } from "../quarantine/quarantine-object.ts";
import { eraseFromObject, withoutErased } from "../users/erased-document.ts";
import type { IndexingContext, IndexRangeError } from "./context.ts";
import { versionKeyOf } from "./version-key-of.ts";

interface LateInputs {
  readonly documents: readonly WalDocument[];
  /** By user: the version before which what they sent is gone. */
  readonly erasedBefore: ReadonlyMap<string, string>;
}

/**
 * The documents of a range as they may be applied. What a user sent before their erasure and what comes only now loses its content, first in its objects:
 * an object that was written while the erasure looked through the bucket is met here. That the commit looks at the tombstone once more is for the
 * erasures that begin in between; those find the object themselves.
 */
export async function eraseLateInputs(
  { bucket }: Pick<IndexingContext, "bucket">,
  message: EmbedMessage,
  { documents, erasedBefore }: LateInputs,
): Promise<Result<readonly WalDocument[], IndexRangeError>> {
  const { tenant_id: tenantId, wal_id: walId } = message;
  const isErased = (document: WalDocument): boolean =>
    versionKeyOf(walId, document) < (erasedBefore.get(document.user_id) ?? "");
  if (!documents.some(isErased)) return ok(documents);
  for (const key of [quarantineKey(tenantId, walId), message.wal_key]) {
    const rewritten = await eraseFromObject(bucket, key, isErased);
    if (rewritten.ok) continue;
    return rewritten.error.code === "storage_unavailable"
      ? { ok: false, error: { code: "storage_unavailable", cause: undefined } }
      : { ok: false, error: rewritten.error };
  }
  return ok(withoutErased(documents, isErased));
}
