export type S3ErrorCode =
  /** The keys are wrong, or lack a right: list, read, write or delete. */
  | "s3_credentials_refused"
  /** The server's clock and ours are too far apart for a signature. */
  | "s3_clock_skewed"
  | "s3_bucket_missing"
  | "s3_not_found"
  /** The multipart upload has ended, was aborted, or never was. */
  | "s3_upload_missing"
  /** The server asks for fewer requests, after every retry. */
  | "s3_slow_down"
  | "s3_unavailable"
  | "s3_connection_lost"
  | "s3_timeout"
  /** Fewer bytes than the object was said to have. */
  | "s3_truncated"
  /** The server received other bytes than were sent. */
  | "s3_hash_mismatch"
  | "s3_refused"
  | "s3_reply_invalid";

/** Why a call failed. Holds nothing of a key, a body or a credential: it may be logged. */
export interface S3Error {
  readonly code: S3ErrorCode;
  /** Of the last reply; absent where there was none. */
  readonly status?: number;
  /** The server's own code, letters only. */
  readonly s3Code?: string;
}

/** What another attempt may not meet again. */
const RETRYABLE: ReadonlySet<S3ErrorCode> = new Set([
  "s3_slow_down",
  "s3_unavailable",
  "s3_connection_lost",
  "s3_timeout",
  "s3_hash_mismatch",
]);

export function isRetryable({ code }: S3Error): boolean {
  return RETRYABLE.has(code);
}

/** Servers differ in codes, and in the status that they give with one: versitygw without accounts says 404 of an unknown key id. */
const CODE_OF_S3_CODE: Readonly<Record<string, S3ErrorCode>> = {
  AccessDenied: "s3_credentials_refused",
  InvalidAccessKeyId: "s3_credentials_refused",
  SignatureDoesNotMatch: "s3_credentials_refused",
  XAdminUserNotFound: "s3_credentials_refused",
  RequestTimeTooSkewed: "s3_clock_skewed",
  NoSuchBucket: "s3_bucket_missing",
  NoSuchKey: "s3_not_found",
  NoSuchUpload: "s3_upload_missing",
  SlowDown: "s3_slow_down",
  ThrottlingException: "s3_slow_down",
  TooManyRequests: "s3_slow_down",
  RequestTimeout: "s3_timeout",
  InternalError: "s3_unavailable",
  BadDigest: "s3_hash_mismatch",
  XAmzContentSHA256Mismatch: "s3_hash_mismatch",
};

const CODE_OF_STATUS: Readonly<Record<number, S3ErrorCode>> = {
  401: "s3_credentials_refused",
  403: "s3_credentials_refused",
  404: "s3_not_found",
  408: "s3_timeout",
  429: "s3_slow_down",
  503: "s3_slow_down",
};

/** The error of a reply, by the code in its body where there is one (a HEAD has none), else by its status. Pure. */
export function s3ErrorOf(status: number, s3Code: string | undefined): S3Error {
  const known = s3Code === undefined ? undefined : CODE_OF_S3_CODE[s3Code];
  const code = known ?? CODE_OF_STATUS[status] ?? (status >= 500 ? "s3_unavailable" : "s3_refused");
  return { code, status, ...(s3Code === undefined ? {} : { s3Code }) };
}
