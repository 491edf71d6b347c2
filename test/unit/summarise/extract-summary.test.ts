import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extractSummary, type Sentence, type SummaryOptions } from "../../../src/lib/summarise/extract-summary.ts";

const OPTIONS: SummaryOptions = { sentencesMax: 3, charactersMax: 1_000, diversity: 0.4 };

function unit(...values: readonly number[]): Float32Array {
  const length = Math.hypot(...values) || 1;
  return Float32Array.from(values, (value) => value / length);
}

function sentence(text: string, memberId: string, ...values: readonly number[]): Sentence {
  return { text, memberId, vector: unit(...values) };
}

const sentences = fc.array(
  fc.record({
    text: fc.string({ minLength: 1, maxLength: 40 }),
    memberId: fc.constantFrom("m1", "m2", "m3", "m4"),
    vector: fc
      .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
      .map((values) => unit(...values)),
  }),
  { maxLength: 30 },
);

describe("an extractive summary", () => {
  const talk = [
    sentence("We should visit Lisbon in May.", "e1", 1, 0.1, 0),
    sentence("Yes, Lisbon in May it is.", "e2", 1, 0.12, 0),
    sentence("My cat sleeps.", "e3", 0, 0, 1),
    sentence("Lisbon flights are cheap.", "e4", 0.9, 0.4, 0),
    sentence("Which hotel?", "e5", 0.3, 1, 0),
  ];

  it("takes the central sentences, but not the same thing twice", () => {
    const texts = extractSummary(talk, OPTIONS).map(({ text }) => text);
    expect(texts).toHaveLength(3);
    expect(texts.filter((text) => text.includes("May")).length).toBeLessThan(2);
    expect(texts).toContain("Lisbon flights are cheap.");
  });

  it("without diversity takes the nearest to the centre, alike or not", () => {
    const texts = extractSummary(talk, { ...OPTIONS, sentencesMax: 2, diversity: 0 }).map(({ text }) => text);
    expect(texts.every((text) => text.includes("Lisbon"))).toBe(true);
  });

  it("says which members each sentence stands for, every member once", () => {
    const stoodFor = extractSummary(talk, OPTIONS).flatMap((part) => part.stoodFor);
    expect(stoodFor.toSorted()).toEqual(["e1", "e2", "e3", "e4", "e5"]);
  });

  it("of nothing is nothing", () => {
    expect(extractSummary([], OPTIONS)).toEqual([]);
    expect(extractSummary(talk, { ...OPTIONS, charactersMax: 3 })).toEqual([]);
  });

  it("keeps to its bounds and to the order of the text, and gives the same for the same", () => {
    const limits = fc.record({
      sentencesMax: fc.integer({ min: 0, max: 6 }),
      charactersMax: fc.integer({ min: 0, max: 120 }),
      diversity: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(sentences, limits, (list, options) => {
        const summary = extractSummary(list, options);
        expect(summary.length).toBeLessThanOrEqual(options.sentencesMax);
        expect(summary.map(({ text }) => text).join(" ").length).toBeLessThanOrEqual(options.charactersMax);
        let from = 0;
        for (const part of summary) {
          from = list.findIndex((item, index) => index >= from && item.text === part.text) + 1;
          expect(from).toBeGreaterThan(0);
        }
        const stoodFor = summary.flatMap((part) => part.stoodFor);
        expect(new Set(stoodFor).size).toBe(stoodFor.length);
        expect(extractSummary(list, options)).toEqual(summary);
      }),
    );
  });
});
