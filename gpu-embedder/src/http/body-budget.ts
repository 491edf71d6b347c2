import type { MiddlewareHandler } from "hono";
import type { EmbedFailure } from "./embed-failure.ts";

/** Bytes of request bodies that the server holds at once, so that memory is bounded however many clients send. */
export class BodyBudget {
  readonly #limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether there was room; then `give` must follow. */
  tryTake(sizeBytes: number): boolean {
    if (this.#heldBytes + sizeBytes > this.#limitBytes) return false;
    this.#heldBytes += sizeBytes;
    return true;
  }

  give(sizeBytes: number): void {
    this.#heldBytes -= sizeBytes;
  }
}

/** Seconds until room is likely again: the time of a large request. */
const RETRY_AFTER_SECONDS = 1;

/** Sets room aside for a POST's body before it is read: what it declares, or the most it may have. Refuses it where there is none. */
export function withinBodyBudget(
  budget: BodyBudget,
  bodySizeBytesMax: number,
  refuse: (path: string, failure: EmbedFailure) => Response,
): MiddlewareHandler {
  return async (context, next) => {
    if (context.req.method !== "POST") return next();
    const sizeBytes = Math.min(Number(context.req.header("content-length") ?? bodySizeBytesMax), bodySizeBytesMax);
    if (!budget.tryTake(sizeBytes))
      return refuse(context.req.path, { code: "overloaded", retryAfterSeconds: RETRY_AFTER_SECONDS });
    try {
      return await next();
    } finally {
      budget.give(sizeBytes);
    }
  };
}
