import { describe, expect, it } from "vitest";
import { goldenDrift } from "../../../src/lib/model/golden-drift.ts";
import { GOLDEN_SET, GOLDEN_TEXTS } from "../../../src/lib/model/golden-texts.ts";
import { sha256HexSync } from "../../../src/lib/base/hash.ts";

const of = (...values: number[]): Float32Array => Float32Array.of(...values);

describe("drift of golden vectors", () => {
  it("is none for the same directions, whatever their lengths", () => {
    const drift = goldenDrift([of(1, 0), of(0, 2)], [of(3, 0), of(0, 1)]);
    expect(drift.minCosine).toBeCloseTo(1, 12);
    expect(drift.meanCosine).toBeCloseTo(1, 12);
  });

  it("names the text that moved most, and takes what is missing or of another length for unrelated", () => {
    expect(goldenDrift([of(1, 0), of(1, 0)], [of(1, 0), of(1, 1)])).toMatchObject({ worstIndex: 1 });
    expect(goldenDrift([of(1, 0), of(1, 0)], [of(1, 0)])).toEqual({ minCosine: 0, meanCosine: 0.5, worstIndex: 1 });
    expect(goldenDrift([of(1, 0)], [of(1, 0, 0)]).minCosine).toBe(0);
  });

  it("is measured on texts that are part of a format", () => {
    expect(`${GOLDEN_SET} ${sha256HexSync(JSON.stringify(GOLDEN_TEXTS)).slice(0, 16)}`).toBe(
      "golden-1 5603a38d351cf07a",
    );
    expect(new Set(GOLDEN_TEXTS).size).toBe(GOLDEN_TEXTS.length);
  });
});
