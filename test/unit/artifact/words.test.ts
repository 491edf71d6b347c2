import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WordCode, WORDS_MAX } from "../../../src/lib/artifact/columns/word-code.ts";
import { withWords, wordCodeOf, wordsBytes } from "../../../src/lib/artifact/dictionary-words.ts";
import { WordCounter } from "../../../src/lib/artifact/learn-words.ts";
import { zstdDictionary } from "../../../src/lib/zstd/zstd-dictionary.ts";
import { conversation } from "../../support/pack-records.ts";
import { dictionaryOf, zstd } from "./records.ts";

const MANY = Array.from({ length: WORDS_MAX }, (_, index) => ` word${index}`);
const CODE = new WordCode([" the", "The", " größer", "東京", "don't", ...MANY.slice(0, 2_000)]);
const dictionary = await dictionaryOf(conversation(2_000));
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.constantFrom(
        " the",
        "The",
        " größer",
        " größerer",
        "東京",
        "東京タワー",
        "don't",
        " word1999",
        " word2000",
        ", ",
        "…",
        "🜂",
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join("").replaceAll("\0", ""))
  .filter((given) => given.isWellFormed());

describe("texts in words", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 9 }), (texts) => {
        const length = texts.join("").length;
        expect(CODE.decode(CODE.encode(texts), texts.length, length)).toEqual(texts);
      }),
      { numRuns: 3_000 },
    );
  });

  it("have one byte for the most frequent words and two for the others, up to the last", () => {
    const code = new WordCode(MANY);
    for (const [word, bytes] of [
      [MANY[0], 2],
      [MANY[94], 2],
      [MANY[95], 3],
      [MANY.at(-1), 3],
    ] as const) {
      expect(code.encode([word ?? ""])).toHaveLength(bytes);
      expect(code.decode(code.encode([word ?? ""]), 1, 20)).toEqual([word]);
    }
  });

  it("cost two bytes more than UTF-8 where there are no words, however long they are", () => {
    const plain = "これは日本語の文章です。句読点もあります。".repeat(20);
    expect(CODE.encode([plain])).toHaveLength(new TextEncoder().encode(plain).length + 2);
  });

  it("become no longer than allowed, and nothing where the bytes are no texts in these words", () => {
    const long = new WordCode([" abcdefghijklmnopqrstuvwxyz"]);
    expect(long.decode(Uint8Array.from([...Array.from({ length: 100 }, () => 0x80), 0]), 1, 2_699)).toBeUndefined();
    for (const bytes of [[0x41], [0x81, 0], [0xdf, 0], [0xdf], [0xff, 0xc3, 0], [0xff, 0xed, 0xa0, 0x80, 0], [0, 0]])
      expect(long.decode(Uint8Array.from(bytes), 1, 100)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(5), (bytes, count) => {
        const texts = CODE.decode(bytes, count, 500);
        if (texts === undefined) return;
        expect(texts).toHaveLength(count);
        expect(texts.join("").length).toBeLessThanOrEqual(500);
        expect(texts.every((each) => each.isWellFormed())).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("the words of a dictionary", () => {
  it("stand in a dictionary that every zstd takes", () => {
    const words = wordCodeOf(dictionary)?.words ?? [];
    expect(words).toContain(" summer");
    expect(dictionary.bytes.length).toBeLessThanOrEqual(4_096);
    const content = new TextEncoder().encode("so you went there? yes, with Ann");
    const frame = zstd.compress(content, { level: 19, dictionary });
    expect(new Uint8Array(zstdDecompressSync(frame, { dictionary: dictionary.bytes }))).toEqual(content);
  });

  it("are none where it says nothing of them, or something that cannot be", () => {
    expect(wordCodeOf(null)).toBeNull();
    const damaged = (change: (place: DataView) => void) => {
      const bytes = Uint8Array.from(dictionary.bytes);
      change(new DataView(bytes.buffer, bytes.length - 12));
      return wordCodeOf({ id: "", bytes });
    };
    expect(damaged((place) => place.setUint32(8, 0))).toBeNull();
    expect(damaged((place) => place.setUint32(4, dictionary.bytes.length))).toBeNull();
    expect(damaged((place) => place.setUint32(0, 0xffff_ffff))).toBeNull();
    expect(wordCodeOf({ id: "", bytes: dictionary.bytes.subarray(0, 11) })).toBeNull();
  });

  it("are not put into what has no end of a header, nor beyond the size of a dictionary", () => {
    const made = zstdDictionary(Uint8Array.of(0x37, 0xa4, 0x30, 0xec, 1, 2, 3));
    expect(made.ok && withWords(made.value, [" a"])).toEqual({ ok: false, error: { code: "dictionary_invalid" } });
    expect(
      withWords(
        dictionary,
        Array.from({ length: 60_000 }, () => " word"),
      ),
    ).toEqual({
      ok: false,
      error: { code: "dictionary_invalid" },
    });
  });

  it("are those that save most, of the bytes there are, most frequent first", () => {
    const counter = new WordCounter();
    counter.encode(
      Array.from({ length: 9 }, (_, index) => `the long-winded explanation ${index < 5 ? "of it" : "or so"} ${index}`),
    );
    expect(counter.words(1_000)).toEqual(
      [" explanation", "the", "winded", " long", " it", " of", " or", " so"].toSorted(byCountThenName),
    );
    expect(counter.words(20)).toEqual([" explanation", "winded"].toSorted(byCountThenName));
    expect(wordsBytes([" a", "b"])).toEqual(new TextEncoder().encode(" a\nb\n"));
  });
});

/** " it" and " of" were said five times, " or" and " so" four, the others nine. */
function byCountThenName(a: string, b: string): number {
  const rare = (word: string): number => [" it", " of", " or", " so"].indexOf(word) >> 1;
  return rare(a) - rare(b) || (a < b ? -1 : 1);
}
