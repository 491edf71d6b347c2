import { err, type Result } from "../../base/result.ts";
import type { S3ErrorCode } from "../../s3/s3-error.ts";

export type SyncErrorCode =
  | S3ErrorCode
  /** R2 cannot be reached. */
  | "storage_unavailable"
  | "database_unavailable"
  /** R2 gave other bytes than those that it keeps a hash of. */
  | "source_damaged"
  /** What the remote holds is not what was sent, read back. The copy is removed. */
  | "hash_mismatch"
  /** Larger than `PARTS_MAX` parts. */
  | "object_too_large"
  /** The metadata of an object is more than an S3 object may carry. */
  | "metadata_too_large"
  /** A server lists keys out of order: nothing can be said about what is missing. */
  | "listing_unordered";

export interface SyncError {
  readonly code: SyncErrorCode;
}

/** What concerns one object alone: the rest of the round goes on. Anything else would meet every object after it. */
const OF_ONE_OBJECT: ReadonlySet<SyncErrorCode> = new Set([
  "s3_truncated",
  "s3_hash_mismatch",
  "s3_not_found",
  "s3_upload_missing",
  "source_damaged",
  "hash_mismatch",
  "object_too_large",
  "metadata_too_large",
]);

export function concernsOneObject({ code }: SyncError): boolean {
  return OF_ONE_OBJECT.has(code);
}

/** R2 throws where the others return. */
export async function caught<T, E>(work: () => Promise<Result<T, E>>): Promise<Result<T, E | SyncError>> {
  try {
    return await work();
  } catch {
    return err({ code: "storage_unavailable" });
  }
}
