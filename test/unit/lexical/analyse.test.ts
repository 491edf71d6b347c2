import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyse, LEXEME_COUNT_MAX } from "../../../src/lib/lexical/analyse.ts";
import { lexemesJson, sparsevecText } from "../../../src/lib/lexical/encode.ts";
import { dimensionOf, LEXEME_DIMENSIONS } from "../../../src/lib/lexical/lexeme.ts";

const dimensionsOf = (text: string): Set<number> => new Set(analyse(text).counts.keys());

describe("analyse", () => {
  it("brings inflected forms, cases, accents and compatibility forms of a word together", () => {
    expect(dimensionsOf("running")).toEqual(dimensionsOf("RUNS"));
    expect(dimensionsOf("Café")).toEqual(dimensionsOf("cafe"));
    expect(dimensionsOf("Ｗｉｎｇ")).toEqual(dimensionsOf("wings"));
    expect(dimensionsOf("boundary-layer")).toEqual(dimensionsOf("layers boundary"));
  });

  it("leaves out function words, also the tails of contractions", () => {
    expect(analyse("the of and it's don't we're")).toEqual({ counts: new Map(), lexemeCount: 0 });
  });

  it("keeps numbers, and identifiers both whole and in parts", () => {
    const whole = dimensionsOf("ERR_1042");
    expect(whole.size).toBe(3);
    expect(dimensionsOf("see err_1042!")).toEqual(new Set([...dimensionsOf("see"), ...whole]));
    expect([...dimensionsOf("1042")].every((dimension) => whole.has(dimension))).toBe(true);
    expect(dimensionsOf("10.0.0.1")).not.toEqual(dimensionsOf("10.0.1.0"));
  });

  it("indexes pairs of characters where a script has no blanks", () => {
    const sentence = dimensionsOf("東京都に住む");
    expect([...dimensionsOf("東京")].every((dimension) => sentence.has(dimension))).toBe(true);
    expect([...dimensionsOf("京東")].every((dimension) => sentence.has(dimension))).toBe(false);
  });

  it("counts repetitions up to the cap and keeps the true length", () => {
    const { counts, lexemeCount } = analyse("wing ".repeat(40));
    expect([...counts.values()]).toEqual([LEXEME_COUNT_MAX]);
    expect(lexemeCount).toBe(40);
  });

  it("gives the same for the same text, whatever was analysed before, within its bounds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.string({ maxLength: 200 }), (text, other) => {
        const first = analyse(text);
        analyse(other);
        expect(analyse(text)).toEqual(first);
        for (const [dimension, count] of first.counts) {
          expect(Number.isInteger(dimension) && dimension >= 1 && dimension <= LEXEME_DIMENSIONS).toBe(true);
          expect(count >= 1 && count <= LEXEME_COUNT_MAX).toBe(true);
        }
        expect(first.lexemeCount).toBeGreaterThanOrEqual(first.counts.size);
      }),
    );
  });

  it("takes any text without growing slow", () => {
    const startedMs = performance.now();
    for (const text of ["a.".repeat(200_000), "a".repeat(400_000), `a${".".repeat(400_000)}`, "語".repeat(100_000)])
      analyse(text);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe("lexeme dimensions", () => {
  it("stay what is stored already", () => {
    expect([dimensionOf("wing"), dimensionOf("boundari"), dimensionOf("語")]).toEqual([
      277885821, 348123700, 395450614,
    ]);
  });

  it("spread like random numbers", () => {
    const words = Array.from({ length: 50_000 }, (_, index) => `word${index}`);
    const dimensions = new Set(words.map((word) => dimensionOf(word)));
    // Expected collisions: 50,000² / 2 / 2^29 = 2.3.
    expect(dimensions.size).toBeGreaterThan(49_985);
  });
});

describe("encodings", () => {
  it("write sparsevec text and JSON in rising order of dimension", () => {
    const lexemes = {
      counts: new Map([
        [70, 2],
        [3, 15],
      ]),
      lexemeCount: 17,
    };
    expect(sparsevecText(lexemes)).toBe("{3:15,70:2}/536870912");
    expect(lexemesJson(lexemes)).toBe('{"3":15,"70":2}');
    expect(sparsevecText({ counts: new Map(), lexemeCount: 0 })).toBe("{}/536870912");
  });
});
