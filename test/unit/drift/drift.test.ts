import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { profileOf, sumProfiles, type BatchProfile, type InputGroup } from "../../../src/lib/drift/batch-profile.ts";
import { compareProfiles } from "../../../src/lib/drift/compare-profiles.ts";
import {
  jensenShannonDivergence,
  populationStabilityIndex,
  psiByChance,
  type Distribution,
} from "../../../src/lib/drift/divergence.ts";

const THRESHOLDS = { psi_max: 0.25, js_max: 0.1, documents_min: 50 };
const distributions: fc.Arbitrary<Distribution> = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d", "e"),
  fc.integer({ min: 0, max: 5_000 }),
);

describe("the divergences", () => {
  it("are zero between equal distributions, whatever their sizes", () => {
    fc.assert(
      fc.property(distributions, fc.integer({ min: 1, max: 20 }), (distribution, factor) => {
        const larger = Object.fromEntries(Object.entries(distribution).map(([name, count]) => [name, count * factor]));
        expect(populationStabilityIndex(distribution, distribution)).toBe(0);
        expect(jensenShannonDivergence(distribution, larger)).toBeCloseTo(0, 10);
      }),
    );
  });

  it("are symmetric, finite and bounded", () => {
    fc.assert(
      fc.property(distributions, distributions, (a, b) => {
        const js = jensenShannonDivergence(a, b);
        const psi = populationStabilityIndex(a, b);
        expect(js).toBeCloseTo(jensenShannonDivergence(b, a), 12);
        expect(psi).toBeCloseTo(populationStabilityIndex(b, a), 9);
        expect(js).toBeGreaterThanOrEqual(0);
        expect(js).toBeLessThanOrEqual(1);
        expect(psi).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(psi)).toBe(true);
      }),
    );
  });

  it("are what their formulas say by hand", () => {
    expect(jensenShannonDivergence({ a: 10 }, { b: 10 })).toBe(1);
    expect(jensenShannonDivergence({ a: 50, b: 50 }, { a: 50, b: 50 })).toBe(0);
    expect(jensenShannonDivergence({ a: 3, b: 1 }, { a: 1, b: 3 })).toBeCloseTo(0.188722, 5);
    // (0.6 - 0.4) ln(0.6/0.4) twice, the pseudo-count vanishing at this size.
    expect(populationStabilityIndex({ a: 6e6, b: 4e6 }, { a: 4e6, b: 6e6 })).toBeCloseTo(0.16219, 4);
    expect(jensenShannonDivergence({}, { a: 1 })).toBe(0);
  });

  it("say how much chance explains: less, the larger the samples", () => {
    const of = (count: number) => ({ a: count, b: count, c: count });
    // 13.82 is the 0.999 quantile of χ² with two degrees of freedom.
    expect(psiByChance(of(100), of(100))).toBeCloseTo(13.82 * (2 / 300), 2);
    expect(psiByChance(of(1_000), of(1_000))).toBeLessThan(psiByChance(of(100), of(100)));
    expect(psiByChance({ a: 5 }, { a: 7 })).toBe(0);
  });
});

/** A batch of `size` inputs, drawn from shares by a small generator, so that a failing seed can be run again. */
function draw(shares: Readonly<Record<string, number>>, size: number, seed: number): BatchProfile {
  let state = (seed * 7919 + 17) % 2_147_483_647;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const groups: InputGroup[] = Array.from({ length: size }, () => {
    let left = random() * Object.values(shares).reduce((sum, share) => sum + share, 0);
    const source = Object.keys(shares).find((name) => (left -= shares[name] ?? 0) < 0) ?? "mail";
    return { source, tier: "doc", language: "en", lengthClass: 9, outcome: "indexed", inputCount: 1 };
  });
  return profileOf(groups);
}

const verdictOf = (now: BatchProfile, before: BatchProfile, dimension = "source") =>
  compareProfiles(now, before, THRESHOLDS).find((drift) => drift.dimension === dimension)?.verdict;

describe("the comparison of two batches", () => {
  const SHARES = { mail: 0.5, wiki: 0.3, chat: 0.2 };

  it.each([60, 200, 2_000])("finds a planted drift between batches of %i", (size) => {
    for (let seed = 1; seed <= 50; seed += 1) {
      expect(verdictOf(draw({ mail: 0.1, wiki: 0.1, forum: 0.8 }, size, seed), draw(SHARES, size, seed + 1_000))).toBe(
        "drifted",
      );
    }
  });

  it.each([60, 200, 2_000])("flags none between two batches of %i from one source more than once in 200", (size) => {
    const flagged = Array.from({ length: 200 }, (_, seed) =>
      verdictOf(draw(SHARES, size, seed + 1), draw(SHARES, size, seed + 5_001)),
    );
    expect(flagged.filter((verdict) => verdict === "drifted").length).toBeLessThanOrEqual(1);
  });

  it("says nothing of fewer inputs than the policy asks for, however different they are", () => {
    expect(verdictOf(draw({ forum: 1 }, 49, 1), draw(SHARES, 5_000, 2))).toBe("too_few");
    expect(verdictOf(draw({ forum: 1 }, 50, 1), draw(SHARES, 5_000, 2))).toBe("drifted");
  });

  it("names the categories that changed most", () => {
    const [source] = compareProfiles(draw({ forum: 1 }, 100, 1), draw({ mail: 1 }, 100, 1), THRESHOLDS);
    expect(source?.changes).toEqual([
      { category: "forum", share_before: 0, share_now: 1 },
      { category: "mail", share_before: 1, share_now: 0 },
    ]);
  });
});

describe("a batch's profile", () => {
  const group = (more: Partial<InputGroup>): InputGroup => ({
    source: "mail",
    tier: "doc",
    language: "en",
    lengthClass: 9,
    outcome: "indexed",
    inputCount: 1,
    ...more,
  });

  it("counts each dimension, and leaves out what could not be told", () => {
    const groups = [
      group({}),
      group({ language: "", outcome: "rejected", lengthClass: -1 }),
      group({ outcome: "duplicate", inputCount: 3 }),
    ];
    expect(profileOf(groups)).toEqual({
      source: { mail: 5 },
      tier: { doc: 5 },
      language: { en: 4 },
      length: { "512 to 1023": 4 },
      acceptance: { accepted: 4, rejected: 1 },
    });
  });

  it("tells 50 sources apart and no more", () => {
    const profile = profileOf(
      Array.from({ length: 80 }, (_, index) => group({ source: `s${index}`, inputCount: index + 1 })),
    );
    expect(Object.keys(profile.source)).toHaveLength(51);
    expect(profile.source["other sources"]).toBe((30 * 31) / 2);
  });

  it("is the same in any order, and sums like its inputs", () => {
    const groups = fc.array(
      fc.record({
        source: fc.constantFrom("mail", "wiki", ""),
        tier: fc.constantFrom("doc", "event"),
        language: fc.constantFrom("en", "de", ""),
        lengthClass: fc.integer({ min: -1, max: 20 }),
        outcome: fc.constantFrom("indexed", "rejected", "quarantined"),
        inputCount: fc.integer({ min: 1, max: 9 }),
      }),
    );
    fc.assert(
      fc.property(groups, groups, (a, b) => {
        expect(JSON.stringify(profileOf(a.toReversed()))).toBe(JSON.stringify(profileOf(a)));
        expect(sumProfiles([profileOf(a), profileOf(b)])).toEqual(profileOf([...a, ...b]));
      }),
    );
  });
});
