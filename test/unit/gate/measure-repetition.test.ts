import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HashCounter } from "../../../src/lib/gate/hash-counter.ts";
import { measureText } from "../../../src/lib/gate/measure-text.ts";

/** Gopher's measures as they are described: every n-gram as a string, counted in a map. */
function repetitionAsDescribed(words: readonly string[]): { topShares: number[]; duplicateShares: number[] } {
  const units = words.join("").length;
  const gram = (start: number, size: number) => words.slice(start, start + size).join(" ");
  const topShares = [2, 3, 4].map((size) => {
    const counts = new Map<string, number>();
    for (let start = 0; start + size <= words.length; start++)
      counts.set(gram(start, size), (counts.get(gram(start, size)) ?? 0) + 1);
    const most = Math.max(0, ...counts.values());
    if (most < 2) return 0;
    const lengths = [...counts].filter(([, count]) => count === most).map(([text]) => text.length - size + 1);
    return Math.min(units, most * Math.max(...lengths)) / units;
  });
  const duplicateShares = [5, 6, 7, 8, 9, 10].map((size) => {
    const seen = new Set<string>();
    let repeated = 0;
    for (let start = 0; start + size <= words.length;) {
      const text = gram(start, size);
      if (seen.has(text)) {
        repeated += text.length - size + 1;
        start += size;
      } else {
        seen.add(text);
        start++;
      }
    }
    return repeated / units;
  });
  return { topShares, duplicateShares };
}

describe("repetition", () => {
  it("is what Gopher describes, whatever the words are", () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 30 })
          .chain((most) => fc.array(fc.integer({ min: 0, max: most }), { minLength: 50, maxLength: 200 }))
          .map((numbers) => numbers.map((number) => "x".repeat((number % 4) + 1) + number.toString(36))),
        (words) => {
          const { repetition } = measureText(words.join(" "));
          expect({ topShares: repetition.topShares, duplicateShares: repetition.duplicateShares }).toEqual(
            repetitionAsDescribed(words),
          );
        },
      ),
    );
  });

  it("does not see capitals and punctuation", () => {
    const words = Array.from({ length: 60 }, (_, index) => ["Again", "again,", "AGAIN!"][index % 3]);
    expect(measureText(words.join(" ")).repetition.topWordCount).toBe(60);
  });

  it("does not count the bars and dashes of a table", () => {
    const { repetition } = measureText(Array.from({ length: 60 }, (_, index) => `| value${index} | --- |`).join("\n"));
    expect(repetition).toMatchObject({ topWordCount: 1, words: 60, topShares: [0, 0, 0] });
  });
});

describe("a counter of hashes", () => {
  it("counts as a map does, also after it has been used for another text", () => {
    const counter = new HashCounter(256);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 200 }), (hashes) => {
        counter.reset(hashes.length);
        const counts = new Map<number, number>();
        for (const hash of hashes) {
          const count = (counts.get(hash) ?? 0) + 1;
          counts.set(hash, count);
          expect(counter.add(hash)).toBe(count);
        }
        for (const [hash, count] of counts) expect(counter.countOf(hash)).toBe(count);
      }),
    );
  });

  it("holds no more than it was made for, and says of the rest that it is new", () => {
    const counter = new HashCounter(64);
    counter.reset(1_000);
    for (let hash = 0; hash < 1_000; hash++) expect(counter.add(hash)).toBe(1);
    const known = Array.from({ length: 1_000 }, (_, hash) => counter.countOf(hash)).filter((count) => count > 0);
    expect(known.length).toBeLessThanOrEqual(64);
    expect(known.length).toBeGreaterThan(32);
  });
});
