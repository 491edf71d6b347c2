import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requestBatches } from "../../../src/lib/embed/request-batches.ts";

const tokenCounts = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 200 });
const budgets = fc.record({ textsMax: fc.integer({ min: 1, max: 64 }), tokensMax: fc.integer({ min: 50, max: 5000 }) });

describe("grouping texts into embedding requests", () => {
  it("puts each text into exactly one request", () => {
    fc.assert(
      fc.property(tokenCounts, budgets, (counts, budget) => {
        const positions = requestBatches(counts, budget).flat();
        expect(positions.toSorted((a, b) => a - b)).toEqual(counts.map((_, position) => position));
      }),
    );
  });

  it("keeps every request within both budgets, but for a single text that is too long by itself", () => {
    fc.assert(
      fc.property(tokenCounts, budgets, (counts, budget) => {
        for (const group of requestBatches(counts, budget)) {
          expect(group.length).toBeLessThanOrEqual(budget.textsMax);
          const tokens = group.reduce((sum, position) => sum + (counts[position] ?? 0), 0);
          expect(tokens <= budget.tokensMax || group.length === 1).toBe(true);
        }
      }),
    );
  });

  it("lets texts of like length share a request: no text is longer than one of an earlier request", () => {
    fc.assert(
      fc.property(tokenCounts, budgets, (counts, budget) => {
        const lengths = requestBatches(counts, budget).flatMap((group) =>
          group.map((position) => counts[position] ?? 0),
        );
        expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
      }),
    );
  });
});
