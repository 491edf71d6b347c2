import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extractSummary, type Sentence, type SummaryOptions } from "../../../src/lib/summarise/extract-summary.ts";

const OPTIONS: SummaryOptions = { sentencesMax: 3, charactersMax: 1_000 };

function unit(...values: readonly number[]): Float32Array {
  const length = Math.hypot(...values) || 1;
  return Float32Array.from(values, (value) => value / length);
}

function sentence(text: string, ...values: readonly number[]): Sentence {
  return { text, vector: unit(...values), weight: 1, fitness: 1 };
}

const sentences = fc.array(
  fc.record({
    text: fc.string({ minLength: 1, maxLength: 40 }),
    vector: fc
      .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
      .map((values) => unit(...values)),
    weight: fc.double({ min: 0, max: 5, noNaN: true }),
    fitness: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 30 },
);
const limits = fc.record({
  sentencesMax: fc.integer({ min: 0, max: 6 }),
  charactersMax: fc.integer({ min: 0, max: 200 }),
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

/** What the summary is chosen by, computed as it is written down. */
function coverage(all: readonly Sentence[], chosen: readonly number[]): number {
  return all.reduce((sum, { vector, weight }) => {
    const nearest = Math.max(0, ...chosen.map((index) => dot(vector, all[index]?.vector ?? unit(0))));
    return sum + weight * nearest;
  }, 0);
}

describe("an extractive summary", () => {
  const talk = [
    sentence("We should visit Lisbon in May.", 1, 0.1, 0),
    sentence("Yes, Lisbon in May it is.", 1, 0.12, 0),
    sentence("My cat sleeps.", 0, 0, 1),
    sentence("Lisbon flights are cheap.", 0.9, 0.4, 0),
    sentence("Which hotel?", 0.3, 1, 0),
  ];
  const texts = (options: SummaryOptions, all: readonly Sentence[] = talk) =>
    extractSummary(all, options).map(({ index }) => all[index]?.text);

  it("has a sentence for each matter before a second one for any", () => {
    const chosen = texts(OPTIONS);
    expect(chosen).toHaveLength(3);
    expect(chosen.filter((text) => text?.includes("May"))).toHaveLength(0);
    expect(chosen).toContain("My cat sleeps.");
  });

  it("of one sentence is the one that stands for most", () => {
    expect(texts({ ...OPTIONS, sentencesMax: 1 })).toEqual(["Lisbon flights are cheap."]);
  });

  it("hears a weighty matter first, and takes an unfit sentence last", () => {
    const heavy = talk.map((each, index) => (index === 2 ? { ...each, weight: 9 } : each));
    expect(texts({ ...OPTIONS, sentencesMax: 1 }, heavy)).toEqual(["My cat sleeps."]);
    const unfit = heavy.map((each, index) => (index === 2 ? { ...each, fitness: 0 } : each));
    expect(texts({ ...OPTIONS, sentencesMax: 5 }, unfit)).not.toContain("My cat sleeps.");
  });

  it("of nothing is nothing", () => {
    expect(extractSummary([], OPTIONS)).toEqual([]);
    expect(extractSummary(talk, { ...OPTIONS, charactersMax: 3 })).toEqual([]);
  });

  it("keeps to its bounds and the order of the text, shares all weight among its sentences, and is the same for the same", () => {
    fc.assert(
      fc.property(sentences, limits, (all, options) => {
        const chosen = extractSummary(all, options);
        const indexes = chosen.map(({ index }) => index);
        expect(chosen.length).toBeLessThanOrEqual(options.sentencesMax);
        expect(indexes.reduce((sum, index) => sum + (all[index]?.text.length ?? 0), 0)).toBeLessThanOrEqual(
          options.charactersMax,
        );
        expect(indexes).toEqual([...new Set(indexes)].toSorted((a, b) => a - b));
        const shared = chosen.reduce((sum, { stoodFor }) => sum + stoodFor, 0);
        const total = all.reduce((sum, { weight }) => sum + weight, 0);
        if (chosen.length > 0) expect(shared).toBeCloseTo(total, 6);
        expect(extractSummary(all, options)).toEqual(chosen);
      }),
    );
  });

  it("covers at least as much as any single choice, and 1 − 1/e of the best choice of two", () => {
    const fit = sentences.map((all) => all.map((each) => ({ ...each, fitness: 1 })));
    fc.assert(
      fc.property(fit, (all) => {
        const chosen = extractSummary(all, { sentencesMax: 2, charactersMax: 10_000 });
        const indexes = chosen.map(({ index }) => index);
        let best = 0;
        for (const a of all.keys()) for (const b of all.keys()) best = Math.max(best, coverage(all, [a, b]));
        expect(coverage(all, indexes)).toBeGreaterThanOrEqual((1 - 1 / Math.E) * best - 1e-6);
      }),
      { numRuns: 50 },
    );
  });
});
