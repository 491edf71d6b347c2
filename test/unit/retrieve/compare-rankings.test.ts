import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankingChange } from "../../../src/lib/retrieve/compare-rankings.ts";

const ranking = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 6 });

describe("how rankings differ", () => {
  it("is what can be counted by hand", () => {
    const change = rankingChange([
      { before: ["a", "b", "c", "d"], after: ["b", "a", "d", "x"] },
      { before: ["a"], after: ["a"] },
    ]);
    expect(change).toEqual({
      overlapMean: (0.75 + 1) / 2,
      overlapMin: 0.75,
      sameFirstShare: 0.5,
      rankMoveMean: (1 + 1 + 1 + 0) / 4,
      rankMoveMax: 1,
    });
  });

  it("is nothing between equal rankings, and without any", () => {
    const same = { overlapMean: 1, overlapMin: 1, sameFirstShare: 1, rankMoveMean: 0, rankMoveMax: 0 };
    expect(rankingChange([])).toEqual(same);
    fc.assert(
      fc.property(ranking, (keys) => {
        expect(rankingChange([{ before: keys, after: keys }])).toEqual(same);
      }),
    );
  });

  it("is the same overlap from either side, between 0 and 1", () => {
    fc.assert(
      fc.property(ranking, ranking, (before, after) => {
        const forth = rankingChange([{ before, after }]);
        expect(rankingChange([{ before: after, after: before }])).toEqual(forth);
        expect(forth.overlapMin).toBeGreaterThanOrEqual(0);
        expect(forth.overlapMean).toBeLessThanOrEqual(1);
      }),
    );
  });
});
