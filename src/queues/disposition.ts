import type { Random } from "../lib/base/clock.ts";
import type { IndexRangeError } from "../lib/flows/indexing/context.ts";

/** What follows for a message. `retry` leaves it to the queue; `bury` ends it as a dead letter at once. */
export type Disposition =
  | { readonly action: "ack" }
  | { readonly action: "retry"; readonly delaySeconds: number }
  | { readonly action: "bury"; readonly code: string };

/** First delay after a failure that time may heal, seconds; doubled with each attempt. */
const RETRY_DELAY_SECONDS_BASE = 2;
/** Longest delay, seconds: a healed dependency is noticed within this time. */
const RETRY_DELAY_SECONDS_MAX = 60;
/** Attempts for an error that may be permanent but is not known to be. */
const DOUBTFUL_ATTEMPTS_MAX = 5;

type Class = "transient" | "doubtful" | "permanent";

/** The retry table: what each cause means for its message. */
const CLASS_BY_CODE: Readonly<Record<IndexRangeError["code"], Class>> = {
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

/** What follows from a failed range at its n-th attempt (from 1). Pure; `random` spreads the retries of many messages. */
export function dispositionOf(error: IndexRangeError, attempts: number, random: Random): Disposition {
  const kind = CLASS_BY_CODE[error.code];
  if (kind === "permanent") return { action: "bury", code: error.code };
  if (kind === "doubtful" && attempts >= DOUBTFUL_ATTEMPTS_MAX) return { action: "bury", code: error.code };
  if (error.code === "embedder_overloaded") {
    return { action: "retry", delaySeconds: Math.ceil(error.retryAfterSeconds * (1 + random())) };
  }
  return { action: "retry", delaySeconds: retryDelaySeconds(attempts, random) };
}

/** Exponential backoff with equal jitter: between half of and the whole capped delay. */
export function retryDelaySeconds(attempts: number, random: Random): number {
  const cap = Math.min(RETRY_DELAY_SECONDS_MAX, RETRY_DELAY_SECONDS_BASE * 2 ** Math.min(attempts - 1, 10));
  return Math.max(1, Math.round((cap / 2) * (1 + random())));
}
