import type { Clock } from "../../base/clock.ts";

/**
 * The time that a job may take. Sums up the time between looks, so that a clock that jumps back neither stops it for ever nor lets it run for
 * ever: only the stretch of the jump is lost. A jump forward ends the run early, which is harmless.
 */
export class TimeBudget {
  readonly #clock: Clock;
  readonly #timeMsMax: number;
  #lookedAtMs: number;
  #spentMs = 0;

  constructor(clock: Clock, timeMsMax: number) {
    this.#clock = clock;
    this.#timeMsMax = timeMsMax;
    this.#lookedAtMs = clock();
  }

  isSpent(): boolean {
    const nowMs = this.#clock();
    this.#spentMs += Math.max(0, nowMs - this.#lookedAtMs);
    this.#lookedAtMs = nowMs;
    return this.#spentMs >= this.#timeMsMax;
  }
}
