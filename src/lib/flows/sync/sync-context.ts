import type { R2Bucket } from "@cloudflare/workers-types";
import type { S3Client } from "../../s3/s3-client.ts";
import type { JobContext } from "../jobs/job.ts";

/** The second remote, as far as jobs use it. */
export type RemoteStore = Pick<
  S3Client,
  "list" | "head" | "get" | "put" | "delete" | "createUpload" | "uploadPart" | "completeUpload" | "abortUpload"
>;

export interface SyncContext extends JobContext {
  readonly bucket: R2Bucket;
  readonly newUlid: () => string;
  /** Undefined where the deployment names none. */
  readonly remote: RemoteStore | undefined;
}

/** Both ends of a copy. */
export interface Ends {
  readonly bucket: R2Bucket;
  readonly remote: RemoteStore;
}

/** Objects up to this size are copied in one piece, larger ones in parts of it. Four pieces at a time and their copies leave half of an isolate free. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** Parts of one object: 8 GiB. Their etags lie in the cursor, 40 KB of it. */
export const PARTS_MAX = 1_024;

/**
 * What is not copied: nothing is restored from remembered replies and reports of jobs, and snapshots say what this bucket held at a time by this bucket's
 * own clock. Everything else is, also prefixes that are not known here.
 */
const NOT_COPIED = ["idempotency/", "job_reports/", "snapshots/"] as const;

export function isTruth(key: string): boolean {
  return !NOT_COPIED.some((prefix) => key.startsWith(prefix));
}
