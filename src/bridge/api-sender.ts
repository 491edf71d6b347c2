import { z } from "zod";
import { backoffMs, retryAfterMs } from "./backoff.ts";
import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import type { BridgeCounters } from "./counters.ts";
import type { IngestRequest } from "./ingest-request.ts";
import { slept } from "./slept.ts";

/** `refused`: nothing was stored and never will be. `abandoned`: the bridge ends; whether it was stored is not known. */
export type SendOutcome =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "abandoned" };

export interface ApiSenderOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly counters: BridgeCounters;
  /** Told of each failed attempt: a code, never content. */
  readonly onFailure: (reason: string, waitMs: number) => void;
}

const replySchema = z.looseObject({
  accepted: z.int(),
  duplicate: z.int().default(0),
  quarantined: z.int(),
  rejected: z.int(),
});
const problemSchema = z.looseObject({ code: z.string() });

/** What the API says of the request itself: another attempt at it would hear the same. */
const REFUSALS = new Set([400, 409, 413, 415, 422]);

/** Sends requests until they are accepted or refused for good. Everything else (down, busy, a key it does not take) is waited out. */
export class ApiSender {
  readonly #options: ApiSenderOptions;
  /** The API asked for a pause: it holds for every request. */
  #pausedUntilMs = 0;

  constructor(options: ApiSenderOptions) {
    this.#options = options;
  }

  async send(request: IngestRequest, giveUp: AbortSignal): Promise<SendOutcome> {
    const { counters, onFailure } = this.#options;
    for (let failures = 0; ;) {
      if (!(await this.#resumed(giveUp))) return { kind: "abandoned" };
      const attempt = await this.#attempt(request, giveUp);
      if (attempt.kind !== "failed") return attempt;
      failures += 1;
      counters.requests_retried += 1;
      const waitMs = attempt.waitMs ?? backoffMs(failures, BRIDGE_LIMITS.backoffMaxMs, Math.random());
      if (attempt.waitMs !== undefined) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, Date.now() + waitMs);
      onFailure(attempt.reason, waitMs);
      if (!(await slept(waitMs, giveUp))) return { kind: "abandoned" };
    }
  }

  async #resumed(giveUp: AbortSignal): Promise<boolean> {
    for (let restMs = this.#restMs(); restMs > 0; restMs = this.#restMs())
      if (!(await slept(restMs, giveUp))) return false;
    return !giveUp.aborted;
  }

  #restMs(): number {
    return this.#pausedUntilMs - Date.now();
  }

  async #attempt(
    request: IngestRequest,
    giveUp: AbortSignal,
  ): Promise<SendOutcome | { readonly kind: "failed"; readonly reason: string; readonly waitMs?: number | undefined }> {
    try {
      const response = await fetch(`${this.#options.url}/v1/documents`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${this.#options.apiKey}`,
          "content-type": "application/json",
          "idempotency-key": request.idempotencyKey,
        },
        body: request.body,
        signal: AbortSignal.any([giveUp, AbortSignal.timeout(BRIDGE_LIMITS.requestTimeoutMs)]),
      });
      if (response.status === 202) return await this.#accepted(response);
      const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
      const reason = `${response.status} ${problem.success ? problem.data.code : "without a problem document"}`;
      if (REFUSALS.has(response.status)) {
        this.#options.counters.requests_refused += 1;
        return { kind: "refused", reason };
      }
      return { kind: "failed", reason, waitMs: retryAfterMs(response.headers.get("retry-after"), Date.now()) };
    } catch (error) {
      return giveUp.aborted ? { kind: "abandoned" } : { kind: "failed", reason: networkReason(error) };
    }
  }

  /** The verdicts are the API's own business: whatever they are, each document has a receipt. */
  async #accepted(response: Response): Promise<SendOutcome> {
    const reply = replySchema.parse(await response.json());
    const { counters } = this.#options;
    counters.requests_accepted += 1;
    if (response.headers.get("idempotency-replayed") === "true") counters.requests_replayed += 1;
    counters.documents_accepted += reply.accepted;
    counters.documents_duplicate += reply.duplicate;
    counters.documents_quarantined += reply.quarantined;
    counters.documents_rejected += reply.rejected;
    return { kind: "accepted" };
  }
}

/** What the network said; fetch hides it in the cause. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error)) return "unreachable";
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}
