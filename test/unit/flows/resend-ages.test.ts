import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../../src/lib/base/durations.ts";
import { isResendDue } from "../../../src/lib/flows/sweep/sweep.ts";

/** Ages at which runs of the sweeper every `everyMs` send an object again, over `forMs`. */
function resendAges(everyMs: number, offsetMs: number, forMs: number): number[] {
  const ages: number[] = [];
  for (let ageMs = offsetMs; ageMs <= forMs; ageMs += everyMs) if (isResendDue(ageMs, everyMs)) ages.push(ageMs);
  return ages;
}

describe("sending an unapplied object again", () => {
  it("happens a handful of times in its first day, however the runs fall", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 * MINUTE_MS }), (offsetMs) => {
        const ages = resendAges(5 * MINUTE_MS, offsetMs, 24 * 60 * MINUTE_MS);
        expect(ages.length).toBeGreaterThanOrEqual(6);
        expect(ages.length).toBeLessThanOrEqual(8);
        expect(ages[0]).toBeLessThanOrEqual(7 * MINUTE_MS);
      }),
    );
  });

  it("happens at once when the sweeper was away for long", () => {
    expect(isResendDue(40 * 60 * MINUTE_MS, 30 * 60 * MINUTE_MS)).toBe(true);
    expect(isResendDue(10 * MINUTE_MS, 10 * MINUTE_MS)).toBe(true);
  });

  it("never happens in the first two minutes", () => {
    expect(isResendDue(MINUTE_MS, 1000 * MINUTE_MS)).toBe(false);
  });
});
