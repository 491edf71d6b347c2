import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { TextTokenizer } from "../src/engine/tokenizer.ts";
import { realModel, SAMPLE_TEXTS } from "./test-model.ts";

let tokenizer: TextTokenizer;
beforeAll(async () => {
  ({ tokenizer } = await realModel("int8"));
});

/** Ids made by the reference implementation (Rust `tokenizers` 0.23.2) from the same tokenizer.json, truncation and padding off. */
const GOLDEN: readonly (readonly [string, readonly number[]])[] = [
  ["A man is playing a guitar.", [101, 1037, 2158, 2003, 2652, 1037, 2858, 1012, 102]],
  [
    "Grüße aus Köln: straße, naïve café, Ærøskøbing.",
    [
      101, 24665, 2226, 17499, 17151, 28306, 1024, 2358, 27807, 1010, 15743, 7668, 1010, 1097, 2099, 16415, 6711, 16415,
      10472, 1012, 102,
    ],
  ],
  [
    "机器学习 and 東京タワー in one line",
    [101, 100, 100, 1817, 100, 1998, 1879, 1755, 1709, 30262, 30265, 1999, 2028, 2240, 102],
  ],
  [
    "supercalifragilisticexpialidocious 3.14159 #hash @user http://example.org/a?b=c",
    [
      101, 3565, 9289, 10128, 29181, 24411, 4588, 10288, 19312, 21273, 10085, 6313, 1017, 1012, 15471, 28154, 1001,
      23325, 1030, 5310, 8299, 1024, 1013, 1013, 2742, 1012, 8917, 1013, 1037, 1029, 1038, 1027, 1039, 102,
    ],
  ],
  ["don't [SEP] stop\u0000here\u00a0ok", [101, 2123, 1005, 1056, 102, 2644, 5886, 2063, 7929, 102]],
  ["ſİı ﬁ ½ Σίσυφος", [101, 100, 1984, 1092, 1173, 18199, 29733, 29735, 29736, 15297, 102]],
  ["👩‍👩‍👧 🙂 ok", [101, 100, 100, 7929, 102]],
  ["x".repeat(101), [101, 100, 102]],
  ["ΟΔΟΣ ΟΔΟΣ.", [101, 1169, 29722, 29730, 29733, 1169, 29722, 29730, 29733, 1012, 102]],
];

test("ids are those of the reference implementation", async () => {
  for (const [text, ids] of GOLDEN) expect([...(await tokenizer.encode(text))]).toEqual(ids);
});

test("a text cut into slices has the tokens of the whole text", async () => {
  const long = SAMPLE_TEXTS.join("  \n").repeat(200);
  const sliced = [...(await tokenizer.encode(long))];
  const whole = tokenizer.describe(long, true).map((token) => token.id);
  expect(sliced).toEqual(whole);
});

test("ids put together word by word are those of the whole text, whatever stands in it", async () => {
  const pieces = fc.oneof(
    fc.constantFrom(...SAMPLE_TEXTS.flatMap((text) => text.split(" "))),
    fc.constantFrom(
      " ",
      "  ",
      "\t",
      "\n",
      "\r\n",
      "\u00a0",
      "\u3000",
      "\u2028",
      "\ufeff",
      "\u0000",
      "\u200b",
      "\f",
      "\u0301",
      "[SEP]",
      "[MASK]",
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ unit: "grapheme", maxLength: 12 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 20 }), async (parts) => {
      const text = parts.join("");
      const ids = tokenizer.describe(text, true).map((token) => token.id);
      expect([...(await tokenizer.encode(text))]).toEqual(ids);
    }),
    { numRuns: 2_000 },
  );
});
