/** Changing documents of an object that is there: a WAL object or a quarantine object, with its ranges as they are. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { hexOf } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import type { WalError } from "./wal-error.ts";
import { userMarks } from "./user-marks.ts";
import { decodeWal, encodeWal, openWal } from "./wal-codec.ts";
import { WAL_LIMITS } from "./wal-limits.ts";

export type RewriteError = WalError | { readonly code: "storage_unavailable" };

/** Tries when others write the same object: each changes other documents. */
const ATTEMPTS_MAX = 5;

/**
 * Writes the object anew with changed documents, unless none changes; returns how many did, 0 for an object that is not there. `change` returns the
 * same document where it stays. The key stays, so that whoever writes the object once more finds it there. Repeating it is harmless.
 */
export async function rewriteObject(
  bucket: R2Bucket,
  key: string,
  change: (document: WalDocument) => WalDocument,
): Promise<Result<{ readonly changedCount: number }, RewriteError>> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const object = await bucket.get(key);
      if (object === null) return ok({ changedCount: 0 });
      const rewritten = rewrite(new Uint8Array(await object.arrayBuffer()), change);
      if (!rewritten.ok) return rewritten;
      const { encoded, changedCount, marks } = rewritten.value;
      if (encoded === undefined) return ok({ changedCount });
      const put = await bucket.put(key, encoded.bytes, {
        onlyIf: { etagMatches: object.etag },
        // The time of its first form stays with it: snapshots from before this one hold it all the same.
        customMetadata: {
          created_at: object.uploaded.toISOString(),
          ...object.customMetadata,
          ...marks,
          hash: hexOf(encoded.digest),
        },
        ...(object.httpMetadata === undefined ? {} : { httpMetadata: object.httpMetadata }),
      });
      if (put !== null) return ok({ changedCount });
    }
    return err({ code: "storage_unavailable" });
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

/** All documents of an object, none where there is none. At most one object in memory. */
export async function readObject(bucket: R2Bucket, key: string): Promise<Result<readonly WalDocument[], RewriteError>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return ok([]);
    const record = decodeWal(new Uint8Array(await object.arrayBuffer()), WAL_LIMITS);
    return record.ok ? ok(record.value.documents) : record;
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

function rewrite(
  bytes: Uint8Array,
  change: (document: WalDocument) => WalDocument,
): Result<
  {
    /** Undefined: nothing changes. */
    readonly encoded: ReturnType<typeof encodeWal> | undefined;
    readonly changedCount: number;
    readonly marks: Readonly<Record<string, string>>;
  },
  WalError
> {
  const opened = openWal(bytes, WAL_LIMITS);
  if (!opened.ok) return opened;
  const record = decodeWal(bytes, WAL_LIMITS);
  if (!record.ok) return record;
  const { documents, ...head } = record.value;
  const changed = documents.map(change);
  const changedCount = changed.filter((document, index) => document !== documents[index]).length;
  const marks = userMarks(
    head.tenant_id,
    changed.map((document) => document.user_id),
  );
  const encoded = changedCount === 0 ? undefined : encodeWal(head, changed, opened.value.layout.ranges);
  return ok({ encoded, changedCount, marks });
}
