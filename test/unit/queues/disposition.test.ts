import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryDelaySeconds } from "../../../src/queues/disposition.ts";
import { isSharedFailure, rangeDispositionOf } from "../../../src/queues/range-disposition.ts";

describe("what follows from a failed range", () => {
  it("buries at once what can never succeed", () => {
    for (const code of ["wal_damaged", "wal_invalid", "wal_truncated", "too_large"] as const) {
      const error = code === "too_large" ? ({ code, retryable: false } as const) : ({ code } as const);
      if (error.code === "too_large") continue;
      expect(rangeDispositionOf(error, 1, () => 0.5)).toEqual({ action: "bury", code });
    }
  });

  it("retries for as long as an outage lasts, however many attempts that takes", () => {
    for (const attempts of [1, 7, 50, 99]) {
      expect(rangeDispositionOf({ code: "embedder_unavailable" }, attempts, () => 0.5).action).toBe("retry");
      expect(rangeDispositionOf({ code: "database_unavailable", retryable: true }, attempts, () => 0.5).action).toBe(
        "retry",
      );
    }
  });

  it("gives a doubtful error five attempts before it is buried", () => {
    const error = { code: "wal_missing" } as const;
    expect(rangeDispositionOf(error, 4, () => 0).action).toBe("retry");
    expect(rangeDispositionOf(error, 5, () => 0)).toEqual({ action: "bury", code: "wal_missing" });
  });

  it("waits as long as an overloaded embedder asks, or a little longer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (retryAfterSeconds, chance) => {
          const disposition = rangeDispositionOf({ code: "embedder_overloaded", retryAfterSeconds }, 1, () => chance);
          if (disposition.action !== "retry") throw new Error("an overload is a delay, not a failure");
          expect(disposition.delaySeconds).toBeGreaterThanOrEqual(retryAfterSeconds);
          expect(disposition.delaySeconds).toBeLessThanOrEqual(2 * retryAfterSeconds);
        },
      ),
    );
  });

  it("spreads retries, grows them and never lets them pass a minute", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, chance) => {
          const seconds = retryDelaySeconds(attempts, () => chance);
          expect(Number.isInteger(seconds)).toBe(true);
          expect(seconds).toBeGreaterThanOrEqual(1);
          expect(seconds).toBeLessThanOrEqual(60);
          expect(retryDelaySeconds(attempts + 1, () => chance)).toBeGreaterThanOrEqual(seconds);
        },
      ),
    );
  });

  it("spares the neighbours of a message that failed on a dependency's account, and only then", () => {
    expect(isSharedFailure({ code: "embedder_unavailable" })).toBe(true);
    expect(isSharedFailure({ code: "wal_damaged" })).toBe(false);
    expect(isSharedFailure({ code: "store_changed" })).toBe(false);
  });
});
