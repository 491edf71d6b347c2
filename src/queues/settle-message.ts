import type { Message } from "@cloudflare/workers-types";
import type { Clock, Random } from "../lib/base/clock.ts";
import type { Log } from "../lib/base/log.ts";
import type { Result } from "../lib/base/result.ts";
import { type Disposition, retryDelaySeconds } from "./disposition.ts";

/** How one message of a queue ended in its consumer, for the metric. */
export interface MessageEnd {
  /** repeated: it was applied before, and nothing was done. */
  readonly outcome: "applied" | "repeated" | "failed";
  readonly durationMs: number;
}

/** What every consumer counts of its messages. */
export interface MessageMetrics {
  readonly ended: (end: MessageEnd) => void;
  readonly retried: (code: string) => void;
  readonly buried: (code: string) => void;
}

export interface MessageContext {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: MessageMetrics;
}

interface Failure<E, B> {
  readonly error: E;
  readonly disposition: Disposition;
  /** Writes the dead letter, with all that ends with it. */
  readonly bury: (code: string) => Promise<Result<null, B>>;
}

/**
 * Ends a message whose work failed: it is tried again, or buried. A burial that could not be written is tried again as well. Returns the error for which the
 * message comes again, undefined where it does not.
 */
export async function settleFailure<E extends { readonly code: string }, B extends { readonly code: string }>(
  message: Message,
  { error, disposition, bury }: Failure<E, B>,
  { metrics, random }: MessageContext,
): Promise<E | B | undefined> {
  if (disposition.action === "retry") {
    metrics.retried(error.code);
    message.retry({ delaySeconds: disposition.delaySeconds });
    return error;
  }
  const buried = await bury(disposition.code);
  if (!buried.ok) {
    metrics.retried(buried.error.code);
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts, random) });
    return buried.error;
  }
  metrics.buried(disposition.code);
  message.ack();
  return undefined;
}
