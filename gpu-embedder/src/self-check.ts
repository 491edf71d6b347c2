import type { SelfTestOutcome } from "./engine/self-test.ts";
import type { SelfTestState } from "./http/readiness.ts";

/** Milliseconds between two runs of the self-test: three short texts a minute cost nothing and show a device that went bad. */
export const SELF_TEST_INTERVAL_MS = 60_000;

/**
 * Failed runs in a row after which the process is of no use: a CUDA error breaks the context of the whole process, so that no new session
 * in it works either, and only a new process does.
 */
export const SELF_TEST_FAULTS_MAX = 3;

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
  #faultsInRow = 0;
  readonly #broken = Promise.withResolvers<void>();

  constructor(options: SelfCheckOptions) {
    this.#options = options;
    this.#endedMs = options.nowMs();
  }

  get state(): SelfTestState {
    return { fault: this.#fault, ageMs: this.#options.nowMs() - this.#endedMs };
  }

  /** Resolves when the test failed `SELF_TEST_FAULTS_MAX` times in a row. */
  get broken(): Promise<void> {
    return this.#broken.promise;
  }

  /** One run. A full queue lets no test in: then the last outcome stands and its age grows. */
  async run(): Promise<string | undefined> {
    const { ran, fault } = await this.#options.test();
    if (!ran) return this.#fault;
    this.#fault = fault;
    this.#endedMs = this.#options.nowMs();
    this.#faultsInRow = fault === undefined ? 0 : this.#faultsInRow + 1;
    if (this.#faultsInRow >= SELF_TEST_FAULTS_MAX) this.#broken.resolve();
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
