import type { Random } from "../lib/base/clock.ts";

/** What follows for a message whose work failed. `retry` leaves it to the queue; `bury` ends it as a dead letter at once. */
export type Disposition =
  | { readonly action: "retry"; readonly delaySeconds: number }
  | { readonly action: "bury"; readonly code: string };

/** Whether time heals a cause: it does, it may, it cannot. */
export type FailureClass = "transient" | "doubtful" | "permanent";

/** First delay after a failure that time may heal, seconds; doubled with each attempt. */
const RETRY_DELAY_SECONDS_BASE = 2;
/** Longest delay, seconds: a healed dependency is noticed within this time. */
const RETRY_DELAY_SECONDS_MAX = 60;

export interface FailedAttempt {
  readonly error: { readonly code: string; readonly retryAfterSeconds?: number };
  readonly kind: FailureClass;
  /** Attempts so far, this one among them. */
  readonly attempts: number;
  /** Attempts for an error that may be permanent but is not known to be. */
  readonly doubtfulAttemptsMax: number;
}

/** What follows from a failed attempt. Pure; `random` spreads the retries of many messages. */
export function dispositionOf(
  { error, kind, attempts, doubtfulAttemptsMax }: FailedAttempt,
  random: Random,
): Disposition {
  if (kind === "permanent" || (kind === "doubtful" && attempts >= doubtfulAttemptsMax))
    return { action: "bury", code: error.code };
  const delaySeconds =
    error.retryAfterSeconds === undefined
      ? retryDelaySeconds(attempts, random)
      : Math.ceil(error.retryAfterSeconds * (1 + random()));
  return { action: "retry", delaySeconds };
}

/** Exponential backoff with equal jitter: between half of and the whole capped delay. */
export function retryDelaySeconds(attempts: number, random: Random): number {
  const cap = Math.min(RETRY_DELAY_SECONDS_MAX, RETRY_DELAY_SECONDS_BASE * 2 ** Math.min(attempts - 1, 10));
  return Math.max(1, Math.round((cap / 2) * (1 + random())));
}
