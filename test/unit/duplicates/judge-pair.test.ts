import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareTexts } from "../../../src/lib/duplicates/compare-texts.ts";
import { judgePair } from "../../../src/lib/duplicates/judge-pair.ts";

// Few words, so that runs, refrains and moved passages abound.
const sentence = fc
  .array(fc.constantFrom("sun", "rain", "wind", "rises", "falls", "slowly", "12", "not", "Oslo"), {
    minLength: 3,
    maxLength: 12,
  })
  .map((list) => `The ${list.join(" ")}.`);
const text = fc.array(sentence, { maxLength: 12 }).map((list) => list.join(" "));

describe("comparison of two texts", () => {
  it("finds every token of a text in itself and in any order of its sentences", () => {
    fc.assert(
      fc.property(text, (same) => {
        const comparison = compareTexts(same, same);
        expect(comparison).toMatchObject({
          sharedTokens: comparison.laterTokens,
          addedTokens: 0,
          factChanges: 0,
          typos: 0,
        });
      }),
    );
  });

  it("ends with counts within the lengths for any two texts", () => {
    fc.assert(
      fc.property(text, text, (later, earlier) => {
        const comparison = compareTexts(later, earlier);
        const { laterTokens, earlierTokens } = comparison;
        expect(comparison.sharedTokens + comparison.addedTokens + comparison.boilerplateTokens).toBeLessThanOrEqual(
          laterTokens,
        );
        expect(comparison.missingInside).toBeLessThanOrEqual(earlierTokens);
      }),
      { numRuns: 500 },
    );
  });

  it("takes a swapped, doubled or lost letter for a typing error and another word for another word", () => {
    const before = "In the harbour a yellow crane lifts the containers onto the train every morning.";
    const typing = compareTexts(
      "In the habrour a yelllow crane lifts the cntainers onto the train every morning.",
      before,
    );
    expect(typing).toMatchObject({ typos: 3, wordChanges: 0, factChanges: 0 });
    expect(compareTexts(before.replace("yellow", "rusty"), before)).toMatchObject({ typos: 0, wordChanges: 1 });
    expect(compareTexts(before.replace("every", "no"), before)).toMatchObject({ factChanges: 1 });
  });

  it("takes a digit among many typing errors for one of them, and for another fact where the text is clean", () => {
    const before =
      "The pump was inspected on 14 March 1998 by our engineer, who replaced the rubber seals and the pressure valve at once.";
    expect(judgePair(before.replace("1998", "1999"), before).isDuplicate).toBe(false);
    const sloppy =
      "Teh pump was inspectd on 14 March 1999 by our enginer, who replaced the ruber seals and the presure valve at once.";
    expect(judgePair(sloppy, before).isDuplicate).toBe(true);
  });

  it("calls the longer of two texts no duplicate of the shorter one, but the shorter one of the longer", () => {
    const start = "Kestrels hover over the meadow and drop on voles that they see from forty metres above. ";
    const rest = "In winter most of them leave for the south, where grasshoppers make up nearly all of their food. ";
    const all = `${start}${rest}`;
    expect(judgePair(all, start).isDuplicate).toBe(false);
    expect(judgePair(start, all).isDuplicate).toBe(true);
  });
});
