/** Which ingest requests an isolate takes on: as many as its memory bears, and none while too much waits to be indexed. */
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";

export interface AdmissionLimits {
  /** Requests that an isolate works on at once. */
  readonly requestsMax: number;
  /** Bytes of their bodies, as their clients announce them. */
  readonly bytesMax: number;
  /** Messages that may wait in the queue; undefined: what is durable may wait for as long as it takes. */
  readonly backlogMax: number | undefined;
}

/** What an isolate has in hand, and what it knows of the queue. */
export interface AdmissionState {
  readonly requests: number;
  readonly bytes: number;
  /** Messages in the queue; undefined where nobody has told lately. */
  readonly backlog: number | undefined;
}

export interface Applicant {
  readonly bytes: number;
  /** A dry run adds nothing to the queue. */
  readonly isDryRun: boolean;
}

/** Why a request is not taken now; undefined where it is. A request alone is always within what can be in hand. Pure. */
export function admissionRefusal(
  { requests, bytes, backlog }: AdmissionState,
  applicant: Applicant,
  { requestsMax, bytesMax, backlogMax }: AdmissionLimits,
): string | undefined {
  if (requests >= requestsMax) return `${requestsMax} requests are being worked on`;
  if (requests > 0 && bytes + applicant.bytes > bytesMax) return `${bytesMax} bytes are being worked on`;
  if (backlogMax === undefined || backlog === undefined || applicant.isDryRun) return undefined;
  return backlog >= backlogMax ? `${backlogMax} messages wait to be indexed` : undefined;
}

/** A look at the queue is good for this long, milliseconds: it costs a call, and what was sent since is counted beside it. */
const LOOK_EVERY_MS = 1_000;
/** What a refused client is told: by then there was a new look, and what was in hand has ended. */
const RETRY_AFTER_SECONDS = 2;
/** A look this old says nothing, milliseconds: then requests are taken until somebody has looked again. */
const LOOK_STALE_MS = 10_000;

export interface AdmissionOptions {
  readonly limits: AdmissionLimits;
  readonly clock: Clock;
  /** Messages that wait in the queue now. */
  readonly readBacklog: () => Promise<number>;
}

/** The admission of one isolate. */
export class IngestAdmission {
  readonly #options: AdmissionOptions;
  #requests = 0;
  #bytes = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #look: { readonly atMs: number; readonly count: number } | undefined;
  #takenSinceLook = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Takes a request on until `release` is called, or refuses it. */
  admit(applicant: Applicant): Result<{ readonly release: () => void }, Problem> {
    const state = { requests: this.#requests, bytes: this.#bytes, backlog: this.#backlog() };
    const refusal = admissionRefusal(state, applicant, this.#options.limits);
    if (refusal !== undefined)
      return err({ code: "rate_limited", detail: refusal, retryAfterSeconds: RETRY_AFTER_SECONDS });
    this.#requests += 1;
    this.#bytes += applicant.bytes;
    if (!applicant.isDryRun) this.#takenSinceLook += 1;
    let isHeld = true;
    return ok({
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#requests -= 1;
        this.#bytes -= applicant.bytes;
      },
    });
  }

  /**
   * Looks at the queue if it is time to and there is a bound. For after a request: none waits for it. A queue that does not answer bounds nothing, since
   * requests are accepted without it as well. Never rejects.
   */
  async lookSoon(): Promise<void> {
    const { clock, limits, readBacklog } = this.#options;
    if (limits.backlogMax === undefined || clock() - this.#askedAtMs < LOOK_EVERY_MS) return;
    this.#askedAtMs = clock();
    const takenBefore = this.#takenSinceLook;
    try {
      this.#look = { count: await readBacklog(), atMs: clock() };
      this.#takenSinceLook -= takenBefore;
    } catch {
      this.#look = undefined;
    }
  }

  #backlog(): number | undefined {
    if (this.#look === undefined || this.#options.clock() - this.#look.atMs >= LOOK_STALE_MS) return undefined;
    return this.#look.count + this.#takenSinceLook;
  }
}
