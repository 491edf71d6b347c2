import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkOptionsFor, type ChunkOptions, type ChunkTokenCounter } from "../../../src/lib/chunk/chunk.ts";
import { chunkText } from "../../../src/lib/chunk/chunk-text.ts";

// One token a word, and one for each five further characters of it.
const byWords: ChunkTokenCounter = {
  count: (text) => (text.match(/\S+/g) ?? []).reduce((total, word) => total + Math.ceil(word.length / 5), 0),
};
// Counts that do not add up: a blank belongs to the token after it and pairs of characters melt, as with byte-pair encoding.
const byPairs: ChunkTokenCounter = { count: (text) => Math.ceil(text.length / 2) };

const pieces = fc.constantFrom(
  "A short sentence. ",
  "Dr. Smith went home. ",
  "word ",
  "supercalifragilistic ",
  "\n",
  "\n\n",
  "\r\n\r\n",
  "- item\n",
  "# Heading\n\n",
  "\n## Part two\n",
  " = = Wiki = = \n",
  "Name\n----\n",
  "```js\nlet x = 1;\n\nlet y;\n```\n",
  "```",
  "| a | b |\n",
  "什么都没有。",
  "😀😀😀",
  "x".repeat(60),
  "   ",
  "\t",
  "Really? he said. ",
  "\u00a0",
  "3. Then! ",
  "a,b;c ",
  "\f",
  "\u2029",
  "\ud800",
);
const texts = fc
  .array(fc.oneof(pieces, fc.string({ unit: "binary", maxLength: 10 })), { maxLength: 60 })
  .map((parts) => parts.join(""));
const options = fc.record({
  maxTokens: fc.integer({ min: 1, max: 40 }),
  overlapTokens: fc.integer({ min: 0, max: 10 }),
});

function checkLaws(text: string, counter: ChunkTokenCounter, limits: ChunkOptions): void {
  const chunks = chunkText(text, counter, limits);
  const covered = new Uint8Array(text.length);
  for (const [index, chunk] of chunks.entries()) {
    const slice = text.slice(chunk.startOffset, chunk.endOffset);
    expect(chunk.index).toBe(index);
    expect(slice).toBe(slice.trim());
    expect(slice.length).toBeGreaterThan(0);
    expect(chunk.tokenCount).toBe(counter.count(slice));
    const isOneCharacter = Array.from(slice).length === 1;
    if (!isOneCharacter) {
      expect(chunk.tokenCount + chunk.contextTokenCount).toBeLessThanOrEqual(limits.maxTokens);
      expect(slice.length).toBeLessThanOrEqual(limits.maxTokens * 12);
    }
    if (text.isWellFormed()) expect(slice.isWellFormed()).toBe(true);
    const previous = chunks[index - 1];
    if (previous !== undefined) {
      expect(chunk.endOffset).toBeGreaterThan(previous.endOffset);
      expect(chunk.startOffset).toBeGreaterThan(previous.startOffset);
    }
    covered.fill(1, chunk.startOffset, chunk.endOffset);
  }
  for (let offset = 0; offset < text.length; offset++) {
    if (covered[offset] === 0) expect(text.charAt(offset)).toMatch(/\s/);
  }
}

describe("chunkText", () => {
  it("covers every character that is not blank, keeps to the limits and repeats the source to the letter", () => {
    fc.assert(
      fc.property(texts, options, (text, limits) => checkLaws(text, byWords, limits)),
      { numRuns: 1_500 },
    );
  });

  it("keeps to the limits when counts of parts do not add up to the count of the whole", () => {
    fc.assert(
      fc.property(texts, options, (text, limits) => checkLaws(text, byPairs, limits)),
      { numRuns: 1_500 },
    );
  });

  it("does not repeat anything when no overlap is asked for", () => {
    fc.assert(
      fc.property(texts, options, (text, limits) => {
        const chunks = chunkText(text, byWords, { ...limits, overlapTokens: 0 });
        for (const [index, chunk] of chunks.entries())
          expect(chunk.startOffset).toBeGreaterThanOrEqual(chunks[index - 1]?.endOffset ?? 0);
      }),
    );
  });

  it("cuts at sentence ends and prefers paragraph ends", () => {
    const paragraph = (name: string): string =>
      Array.from({ length: 5 }, (_, index) => `Sentence ${index} of ${name} is here.`).join(" ");
    const text = [paragraph("one"), paragraph("two"), paragraph("three")].join("\n\n");
    const slices = chunkText(text, byWords, { maxTokens: 45, overlapTokens: 0 }).map((chunk) =>
      text.slice(chunk.startOffset, chunk.endOffset),
    );
    expect(slices).toEqual(text.split("\n\n"));
  });

  it("repeats whole sentences as overlap inside a paragraph, never across paragraphs", () => {
    const text = "One two three four. Five six seven eight. Nine ten eleven twelve.\n\nNext part here now.";
    const slices = chunkText(text, byWords, { maxTokens: 8, overlapTokens: 5 }).map((chunk) =>
      text.slice(chunk.startOffset, chunk.endOffset),
    );
    expect(slices.at(-1)).toBe("Next part here now.");
    for (const slice of slices) expect(slice).toMatch(/^[A-Z].*\.$/s);
  });

  it("leaves no small tail: one sentence over the limit gives two chunks of about equal size", () => {
    const text = Array.from({ length: 11 }, (_, index) => `This is sentence number ${index} here.`).join(" ");
    const sizes = chunkText(text, byWords, { maxTokens: 60, overlapTokens: 0 }).map((chunk) => chunk.tokenCount);
    expect(sizes).toHaveLength(2);
    expect(Math.min(...sizes)).toBeGreaterThan(25);
  });

  it("does not leave a heading at the end of a chunk", () => {
    const body = (word: string): string => `${`${word} `.repeat(18).trim()}.`;
    const text = `${body("aaa")}\n\nA heading\n\n${body("bbb")}`;
    const slices = chunkText(text, byWords, { maxTokens: 22, overlapTokens: 0 }).map((chunk) =>
      text.slice(chunk.startOffset, chunk.endOffset),
    );
    expect(slices).toHaveLength(2);
    expect(slices[1]).toMatch(/^A heading\n\nbbb/);
  });

  it("does not end a sentence at an abbreviation, an initial or a decimal point", () => {
    const text = "Mr. J. Smith paid 3.50 to Acme Inc. and left. He came back.";
    const slices = chunkText(text, byWords, { maxTokens: 12, overlapTokens: 0 }).map((chunk) =>
      text.slice(chunk.startOffset, chunk.endOffset),
    );
    expect(slices).toEqual(["Mr. J. Smith paid 3.50 to Acme Inc. and left.", "He came back."]);
  });

  it("changes only chunks near an edit", () => {
    const paragraphs = Array.from(
      { length: 60 },
      (_, index) => `Paragraph ${index} ${"says something of no weight ".repeat(((index * 7) % 5) + 2)}and ends.`,
    );
    const chunksOf = (text: string): string[] =>
      chunkText(text, byWords, { maxTokens: 80, overlapTokens: 0 }).map((chunk) =>
        text.slice(chunk.startOffset, chunk.endOffset),
      );
    const before = new Set(chunksOf(paragraphs.join("\n\n")));
    const after = chunksOf(["A new first paragraph.", ...paragraphs].join("\n\n"));
    expect(after.filter((chunk) => !before.has(chunk)).length).toBeLessThan(after.length / 3);
  });

  it("takes time linear in the text for text that is made to hurt", () => {
    const hurtful = [
      ".".repeat(300_000),
      "\n \t".repeat(100_000),
      '?"'.repeat(150_000),
      "a. B\n".repeat(60_000),
      "x".repeat(300_000),
      "(".repeat(300_000),
      "# \n\n".repeat(70_000),
      "# x\n\n".repeat(30_000),
      "=\n".repeat(50_000),
      "a\n---\n".repeat(25_000),
      "```\n".repeat(30_000),
      "| a |\n".repeat(25_000),
    ];
    for (const text of hurtful) {
      const startedMs = performance.now();
      chunkText(text, byWords, chunkOptionsFor(256));
      // Quadratic time would be minutes here.
      expect(performance.now() - startedMs).toBeLessThan(5_000);
    }
  });
});

describe("chunkOptionsFor", () => {
  it("leaves room for special tokens", () => {
    expect(chunkOptionsFor(512).maxTokens).toBe(250);
    expect(chunkOptionsFor(128).maxTokens).toBe(124);
  });

  it("lets a chunk yield to what is embedded before it, but not to nothing", () => {
    const text = "word ".repeat(400);
    const largest = (reservedTokens: number): number =>
      Math.max(
        ...chunkText(text, byWords, { ...chunkOptionsFor(256), reservedTokens }).map((chunk) => chunk.tokenCount),
      );
    expect(largest(0)).toBeGreaterThan(240);
    expect(largest(0)).toBeLessThanOrEqual(250);
    expect(largest(50)).toBeLessThanOrEqual(200);
    expect(largest(240)).toBe(32);
  });
});
