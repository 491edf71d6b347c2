import type { SelfTestOutcome } from "./engine/self-test.ts";
import type { SelfTestState } from "./http/readiness.ts";

/** Milliseconds between two runs of the self-test: three short texts a minute cost nothing and show a device that went bad. */
export const SELF_TEST_INTERVAL_MS = 60_000;

type SelfCheckOptions = {
  readonly test: () => Promise<SelfTestOutcome>;
  readonly nowMs: () => number;
  readonly intervalMs: number;
  /** Called with each fault after the start. */
  readonly onFault: (fault: string) => void;
};

/** Runs the golden self-test at the start and ever again, and knows the newest outcome. */
export class SelfCheck {
  readonly #options: SelfCheckOptions;
  #fault: string | undefined = "not run";
  #endedMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SelfCheckOptions) {
    this.#options = options;
    this.#endedMs = options.nowMs();
  }

  get state(): SelfTestState {
    return { fault: this.#fault, ageMs: this.#options.nowMs() - this.#endedMs };
  }

  /** One run. A full queue lets no test in: then the last outcome stands and its age grows. */
  async run(): Promise<string | undefined> {
    const { ran, fault } = await this.#options.test();
    if (!ran) return this.#fault;
    this.#fault = fault;
    this.#endedMs = this.#options.nowMs();
    return fault;
  }

  /** Runs again and again until `stop`. */
  start(): void {
    this.#timer = setTimeout(async () => {
      const fault = await this.run();
      if (fault !== undefined) this.#options.onFault(fault);
      if (this.#timer !== undefined) this.start();
    }, this.#options.intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
