import type { Random } from "../lib/base/clock.ts";
import type { IndexRangeError } from "../lib/flows/indexing/context.ts";
import { type Disposition, dispositionOf, type FailureClass } from "./disposition.ts";

/** Attempts for an error that may be permanent but is not known to be. */
const DOUBTFUL_ATTEMPTS_MAX = 5;

/** The retry table: what each cause means for its message. */
const CLASS_BY_CODE: Readonly<Record<IndexRangeError["code"], FailureClass>> = {
  storage_unavailable: "transient",
  // R2 reads its own writes; a missing object may still be an operator's restore in progress.
  wal_missing: "doubtful",
  wal_not_recognized: "permanent",
  wal_truncated: "permanent",
  wal_damaged: "permanent",
  wal_invalid: "permanent",
  wal_version_unsupported: "permanent",
  wal_too_large: "permanent",
  wal_range_unknown: "permanent",
  wal_mismatch: "permanent",
  store_changed: "transient",
  no_active_model: "transient",
  tokenizer_missing: "transient",
  tokenizer_unusable: "transient",
  embedder_unavailable: "transient",
  embedder_timeout: "transient",
  embedder_overloaded: "transient",
  embedder_mismatch: "transient",
  database_unavailable: "transient",
  database_timeout: "transient",
  serialization_failure: "transient",
  unique_violation: "transient",
  constraint_violation: "doubtful",
  too_large: "permanent",
  database_error: "doubtful",
};

/** Errors that every other message of the same batch would meet as well. */
const SHARED_CODES: ReadonlySet<IndexRangeError["code"]> = new Set([
  "embedder_unavailable",
  "embedder_timeout",
  "embedder_mismatch",
  "database_unavailable",
  "database_timeout",
  "storage_unavailable",
  "no_active_model",
  "tokenizer_missing",
  "tokenizer_unusable",
]);

/** Whether trying the next message now would only fail the same way. */
export function isSharedFailure(error: IndexRangeError): boolean {
  return SHARED_CODES.has(error.code);
}

/** What follows from a failed range at its n-th attempt (from 1). Pure. */
export function rangeDispositionOf(error: IndexRangeError, attempts: number, random: Random): Disposition {
  const kind = CLASS_BY_CODE[error.code];
  return dispositionOf({ error, kind, attempts, doubtfulAttemptsMax: DOUBTFUL_ATTEMPTS_MAX }, random);
}
