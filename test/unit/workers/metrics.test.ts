import { describe, expect, it } from "vitest";
import { createMetrics, type MetricsHubs } from "../../../src/workers/metrics.ts";

/** A hub as `MetricsHub` is: adds each flush once. `gate` holds replies back; calls counted from 1 in `failing` are answered by an error. */
function memoryHub(options: { readonly gate?: Promise<void>; readonly failing?: readonly number[] } = {}) {
  const totals = new Map<string, number>();
  const seen = new Set<string>();
  let calls = 0;
  const hub: ReturnType<MetricsHubs["getByName"]> = {
    async add(flushId, increments) {
      const call = ++calls;
      await options.gate;
      if (options.failing?.includes(call) === true) throw new Error("the hub is away");
      if (seen.has(flushId)) return { added: false };
      seen.add(flushId);
      for (const [series, by] of increments) totals.set(series, (totals.get(series) ?? 0) + by);
      return { added: true };
    },
    read: async () => [...totals],
  };
  return { totals, hubs: { getByName: () => hub } };
}

const sum = (totals: ReadonlyMap<string, number>): number =>
  [...totals.values()].reduce((all, value) => all + value, 0);

describe("the counters of an isolate", () => {
  it("reach the hub before flushNow resolves", async () => {
    const { totals, hubs } = memoryHub();
    const metrics = createMetrics(hubs);
    metrics.count("cron_unknown_total", {}, 7);
    await metrics.flushNow();
    expect(sum(totals)).toBe(7);
  });

  it("are kept by a flush that failed and added once by the next one", async () => {
    const { totals, hubs } = memoryHub({ failing: [1] });
    const metrics = createMetrics(hubs);
    metrics.count("cron_unknown_total", {}, 7);
    await metrics.flushNow();
    expect(sum(totals)).toBe(0);
    await metrics.flushNow();
    expect(sum(totals)).toBe(7);
  });

  it("are neither lost nor doubled when flushes run at the same time and one of them fails", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { totals, hubs } = memoryHub({ gate, failing: [3] });
    const metrics = createMetrics(hubs);
    metrics.count("cron_unknown_total", {}, 7);
    const first = metrics.flushNow();
    metrics.count("cron_unknown_total", {}, 5);
    const second = metrics.flushNow();
    open();
    await Promise.all([first, second]);
    await metrics.flushNow();
    expect(sum(totals)).toBe(12);
  });
});
