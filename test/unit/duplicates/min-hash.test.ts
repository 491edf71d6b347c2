import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandsOf, estimatedJaccard, shinglesOf, signatureOf } from "../../../src/lib/duplicates/min-hash.ts";
import { normalisedHash, SKETCH_VERSION, sketchOf } from "../../../src/lib/duplicates/sketch.ts";

const words = fc.array(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz".split("")), { minLength: 20, maxLength: 400 });

describe("MinHash", () => {
  it("estimates the Jaccard similarity of shingle sets within five standard errors", () => {
    fc.assert(
      fc.property(words, words, fc.nat(400), (a, b, cut) => {
        const mixed = [...a.slice(0, cut), ...b];
        const [left, right] = [new Set(shinglesOf(a)), new Set(shinglesOf(mixed))];
        const shared = [...left].filter((shingle) => right.has(shingle)).length;
        const exact = shared / (left.size + right.size - shared);
        const estimate = estimatedJaccard(signatureOf(shinglesOf(a)), signatureOf(shinglesOf(mixed)));
        expect(Math.abs(estimate - exact)).toBeLessThan(5 * Math.sqrt((exact * (1 - exact)) / 96) + 0.02);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it("gives bands that a Postgres bigint, JSON and a JavaScript number hold exactly", () => {
    fc.assert(
      fc.property(words, (list) => {
        const bands = bandsOf(signatureOf(shinglesOf(list)));
        expect(bands).toHaveLength(32);
        expect(bands.every((band) => Number.isSafeInteger(band) && band >= 0)).toBe(true);
        expect(new Set(bands).size).toBe(32);
      }),
    );
  });

  it("keeps its signatures for ever, since they are stored", () => {
    const {
      signature,
      bands,
      normalisedHash: hash,
    } = sketchOf("We choose to go to the moon in this decade and do the other things.");
    expect(SKETCH_VERSION).toBe(1);
    expect(Array.from(signature.slice(0, 3))).toEqual(SIGNATURE);
    expect(bands.slice(0, 2)).toEqual(BANDS);
    expect(hash).toBe(normalisedHash("we choose to go to the moon, in this decade, and do the other things"));
    expect(hash.slice(0, 16)).toBe(HASH);
  });

  it("gives a short text a hash and no bands", () => {
    expect(sketchOf("yes, at five")).toMatchObject({ tokenCount: 3, bands: [] });
    expect(normalisedHash("?!")).not.toBe(normalisedHash("!"));
  });
});

const SIGNATURE = [244971627, 233864426, 112795966];
const BANDS = [1070917933676266, 7145180565208799];
const HASH = "940b6322d87e266c";
