import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS } from "../../../src/lib/base/durations.ts";
import { timeWindowOf } from "../../../src/lib/retrieve/time-window.ts";

const NOW = Date.UTC(2026, 10, 25, 12);

/** First and last day of the time itself, without the week in which it is still told of. */
function daysOf(query: string, nowMs = NOW): string {
  const found = timeWindowOf(query, nowMs);
  if (found === null) return "none";
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  return `${day(found.fromMs)} ${day(found.beforeMs - 8 * DAY_MS)}`;
}

describe("the time that a query speaks of", () => {
  it.each([
    ["What did Ann do on 8 May 2023?", "2023-05-08 2023-05-08"],
    ["What did Ann do on May 8th, 2023?", "2023-05-08 2023-05-08"],
    ["errors of 2023-05-08", "2023-05-08 2023-05-08"],
    ["Where was she in May 2023?", "2023-05-01 2023-05-31"],
    ["trips of summer 2023", "2023-06-01 2023-08-31"],
    ["Where did they go in 2022?", "2022-01-01 2022-12-31"],
    ["What did I say in December?", "2025-12-01 2025-12-31"],
    ["What did I say in May?", "2026-05-01 2026-05-31"],
    ["the party of 3 December", "2025-12-03 2025-12-03"],
    ["last summer", "2026-06-01 2026-08-31"],
    ["last winter", "2025-12-01 2026-02-28"],
    ["what did we decide yesterday?", "2026-11-24 2026-11-24"],
    ["and today?", "2026-11-25 2026-11-25"],
    ["last month", "2026-10-01 2026-10-31"],
    ["two weeks ago is not read, 2 weeks ago is", "2026-11-08 2026-11-14"],
    ["a year ago", "2025-05-27 2026-05-26"],
  ])("%s", (query, days) => {
    expect(daysOf(query)).toBe(days);
  });

  it("is none where no time is meant", () => {
    for (const query of [
      "What may Ann like?",
      "error 2023",
      "marching on",
      "32 Mayflies of 99999-01-01",
      "room 1815",
      "",
    ])
      expect(daysOf(query)).toBe("none");
  });

  it("is a bounded stretch that ends after it begins, whatever is asked", () => {
    const words = fc.constantFrom(
      "in",
      "last",
      "May",
      "31",
      "2023",
      "ago",
      "3",
      "weeks",
      "summer",
      "0000-99-99",
      "yesterday",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), fc.integer({ min: 0, max: 4e12 }), (list, nowMs) => {
        const found = timeWindowOf(list.join(" "), nowMs);
        if (found === null) return;
        expect(found.beforeMs - found.fromMs).toBeGreaterThan(7 * DAY_MS);
        expect(found.beforeMs - found.fromMs).toBeLessThanOrEqual((366 + 8) * DAY_MS);
      }),
    );
  });
});
