import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { costTable, monthlyCost } from "../../../bench/growth/cost.ts";

const workload = { chunksPerMonth: 1_000_000, monthsKept: 12, searchesPerMonth: 100_000 };

describe("the cost model", () => {
  it("is the table in docs/scale.md", () => {
    const document = readFileSync(new URL("../../../docs/scale.md", import.meta.url), "utf8");
    expect(document).toContain(`\n${costTable()}\n`);
  });

  it("adds up by hand for a million chunks a month", () => {
    const cost = monthlyCost(workload);
    // 12 million chunks: 1,170 bytes of graph each, 3 GB a unit, 730 hours at 0.222.
    expect(cost.computeUnits).toBe(5);
    expect(cost.neonCompute).toBeCloseTo(5 * 730 * 0.222, 6);
    // 12,500 messages of ten documents, three operations each, at 0.40 a million.
    expect(cost.queues).toBeCloseTo((12_500 * 3 * 0.4) / 1e6, 9);
    expect(cost.total).toBeCloseTo(
      cost.workers + cost.queues + cost.r2 + cost.neonCompute + cost.neonStorage + cost.embedder,
      9,
    );
  });

  it("never falls when there is more to do or to keep", () => {
    const base = monthlyCost(workload);
    const factors = [1, 2, 7, 50, 400];
    for (const key of ["chunksPerMonth", "monthsKept", "searchesPerMonth"] as const) {
      const totals = factors.map((factor) => monthlyCost({ ...workload, [key]: factor * workload[key] }).total);
      expect(totals).toEqual(totals.toSorted((a, b) => a - b));
      expect(totals[0]).toBe(base.total);
    }
  });
});
