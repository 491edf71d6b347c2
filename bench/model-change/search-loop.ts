import { searchReplySchema } from "../../src/lib/contract/search.ts";
import type { ApiClient } from "../../src/cli/api-client.ts";
import { median } from "../support/statistics.ts";

/** Searches, one after another, for as long as something else goes on. */
export class SearchLoop {
  readonly failures: string[] = [];
  readonly fingerprints = new Set<string>();
  count = 0;
  readonly #api: ApiClient;
  readonly #queries: readonly string[];
  #isStopped = false;
  #latenciesMs: number[] = [];

  constructor(api: ApiClient, queries: readonly string[]) {
    this.#api = api;
    this.#queries = queries;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      const query = this.#queries[this.count % this.#queries.length] ?? "";
      const startedMs = performance.now();
      try {
        const reply = await this.#api.json(searchReplySchema, {
          method: "POST",
          path: "/v1/search",
          json: { query, k: 10, explain: true },
          attemptsMax: 1,
        });
        if (reply.hits.length === 0) this.failures.push("no hits");
        if (reply.degraded.length > 0) this.failures.push(reply.degraded.join());
        this.fingerprints.add(reply.explain?.fingerprint ?? "");
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : "unknown");
      }
      this.#latenciesMs.push(performance.now() - startedMs);
      this.count += 1;
    }
  }

  /** Waits for `work`, and says how the searches beside it went. */
  async during(work: () => Promise<unknown>): Promise<string> {
    this.#latenciesMs = [];
    const failedBefore = this.failures.length;
    await work();
    const latencies = this.#latenciesMs.toSorted((a, b) => a - b);
    const largest = latencies.at(-1) ?? 0;
    const middle = latencies.length === 0 ? 0 : median(latencies);
    const failed = this.failures.length - failedBefore;
    return `${latencies.length} answered, ${failed} failed, median ${middle.toFixed(0)} ms, longest ${largest.toFixed(0)} ms`;
  }
}
