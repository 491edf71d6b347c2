import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTokenizer } from "../../../src/lib/model/library-token-counter.ts";
import { loadTokenCounter } from "../../../src/lib/model/load-token-counter.ts";
import { countsAddUpOverWords, wordTokenCounter } from "../../../src/lib/model/word-token-counter.ts";
import { smallTokenizer, smallTokenizerJson } from "./small-tokenizer.ts";

const awkward = [
  "the",
  "Tokens",
  "boundary-layer",
  "[CLS]",
  "[SEP",
  "x[UNK]y",
  "quiz",
  "café",
  "e\u0301t",
  "中文x",
  "中\u0301",
  "\u200b",
  "a\u200bb",
  "a\fb",
  "\u0085",
  "\u00a0",
  "\u3000",
  "\u2028",
  "\ufeff",
  "\n",
  "\t",
  "ΑΣ",
  "İ",
  "ﬁ",
  "😀",
  "\ud83d",
  "\u0000",
  "\ufffd",
  "x".repeat(21),
  "x".repeat(20),
  "don't",
  "1,234.5",
  "𠀀",
];
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...awkward),
      fc.constantFrom(" ", "", ",", "  "),
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(""));

describe("token counter", () => {
  const { counter: library, traits } = smallTokenizer();

  it("counts word by word exactly as the library counts the whole text", () => {
    expect(countsAddUpOverWords(traits)).toBe(true);
    const counter = wordTokenCounter(library, traits);
    fc.assert(
      fc.property(texts, (text) => {
        expect(counter.count(text)).toBe(library.count(text));
        expect(counter.count(text)).toBe(library.count(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("leaves special tokens out of the count", () => {
    expect(library.count("the jet")).toBe(2);
    expect(library.count("")).toBe(0);
  });

  it("uses the library itself where counts do not add up over words", () => {
    const other = readTokenizer(smallTokenizerJson("WhitespaceSplit"));
    expect(other.ok && countsAddUpOverWords(other.value.traits)).toBe(false);
    const loaded = loadTokenCounter(smallTokenizerJson("WhitespaceSplit"));
    // Without BertPreTokenizer "the,the" is one word that is not in the vocabulary.
    expect(loaded.ok && loaded.value.count("the,quiz")).toBe(1);
  });

  it("refuses what is no tokenizer file", () => {
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode("[]"),
      new TextEncoder().encode('{"model":1}'),
      new Uint8Array([0xff]),
    ]) {
      expect(loadTokenCounter(bytes)).toEqual({ ok: false, error: { code: "tokenizer_invalid" } });
    }
  });
});
