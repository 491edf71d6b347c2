/** Ctrl-C as a state that loops look at, so that they end between two steps. A second Ctrl-C ends the process at once. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => {
    if (this.#controller.signal.aborted) process.exit(130);
    this.#controller.abort();
  };

  constructor() {
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isAsked(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Gives Ctrl-C back its usual meaning. */
  end(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }
}
