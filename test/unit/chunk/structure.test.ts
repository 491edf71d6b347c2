import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChunkTokenCounter } from "../../../src/lib/chunk/chunk.ts";
import { chunkText } from "../../../src/lib/chunk/chunk-text.ts";

const byWords: ChunkTokenCounter = { count: (text) => text.match(/\S+/g)?.length ?? 0 };

interface Cut {
  readonly slice: string;
  readonly context: string;
}

function cut(text: string, maxTokens: number): Cut[] {
  return chunkText(text, byWords, { maxTokens, overlapTokens: 0 }).map((chunk) => ({
    slice: text.slice(chunk.startOffset, chunk.endOffset),
    context: chunk.context,
  }));
}

function words(word: string, count: number): string {
  return `${Array.from({ length: count }, (_, index) => `${word}${index}`).join(" ")}.`;
}

describe("structure of a text", () => {
  it("gives a chunk the headings above it, but not the one that it begins with", () => {
    const text = `# Pumps\n\n${words("a", 18)}\n\n## Seals\n\n${words("b", 18)}\n\n${words("c", 19)}\n\n# Valves\n\n${words("d", 18)}`;
    expect(cut(text, 24)).toEqual([
      { slice: `# Pumps\n\n${words("a", 18)}`, context: "" },
      { slice: `## Seals\n\n${words("b", 18)}`, context: "Pumps" },
      { slice: words("c", 19), context: "Pumps › Seals" },
      { slice: `# Valves\n\n${words("d", 18)}`, context: "" },
    ]);
  });

  it("knows headings of MediaWiki and underlined ones", () => {
    const text = `= Birds =\n${words("a", 15)}\n== Owls ==\n${words("b", 9)}\n${words("c", 9)}\n\nFish\n====\n\n${words("d", 15)}`;
    expect(cut(text, 18).map(({ context }) => context)).toEqual(["", "Birds", "Birds › Owls", ""]);
  });

  it("takes a sign inside fenced code for no heading and cuts code at its lines only", () => {
    const code = Array.from({ length: 8 }, (_, index) => `# step ${index}. Then go on to the next one`).join("\n");
    const chunks = cut(`Run this:\n\n\`\`\`sh\n${code}\n\`\`\`\n\n${words("after", 20)}`, 30);
    expect(chunks.every(({ context }) => context === "")).toBe(true);
    for (const { slice } of chunks.slice(0, -1)) expect(slice).toMatch(/(?:next one|```)$/);
  });

  it("takes a fence that is never closed for prose", () => {
    expect(cut(`\`\`\`\nOne two three. Four five six.\n\n# Part\n\n${words("a", 12)}`, 14).at(-1)?.slice).toMatch(
      /^# Part/,
    );
  });

  it("keeps the rows of a table whole", () => {
    const rows = Array.from({ length: 12 }, (_, index) => `| name ${index}. | Value of ${index} |`);
    for (const { slice } of cut(rows.join("\n"), 30))
      expect(slice.split("\n").every((row) => rows.includes(row))).toBe(true);
  });

  it("cuts sentences of scripts without blanks at their own full stops", () => {
    const text = "今天天气很好。我们去公园散步。晚上一起吃饭。".repeat(8);
    const byLetters: ChunkTokenCounter = { count: (piece) => Array.from(piece).length };
    const chunks = chunkText(text, byLetters, { maxTokens: 30, overlapTokens: 0 });
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks) expect(text.slice(chunk.startOffset, chunk.endOffset)).toMatch(/。$/);
  });
});

describe("talks", () => {
  const talk = [
    "Ann: Good morning everyone. When does the train to Porto leave?",
    `Bob: At noon from platform four. ${words("Beta", 12)} ${words("Gamma", 12)}`,
    "Ann: Thank you. I will take the lunch with me then.",
    "Cid: Do not forget the tickets for the way back please.",
  ].join("\n");

  it("gives a chunk that begins with a turn what was said before it", () => {
    const [question = "", , thanks = ""] = talk.split("\n");
    const chunks = cut([question, `Bob: ${words("b", 30)}`, thanks].join("\n"), 40);
    expect(chunks[1]?.slice).toMatch(/^Bob:/);
    expect(chunks[1]?.context).toBe("Ann: When does the train to Porto leave?");
  });

  it("names who is speaking where a chunk begins inside a turn", () => {
    expect(cut(talk, 20).find(({ slice }) => slice.startsWith("Gamma0"))?.context).toBe("Bob:");
  });

  it("takes the labels of a form for no talk", () => {
    const text = `From: Ann\nTo: Bob\nSubject: ${words("a", 10)}\n\n${words("b", 14)}\n\n${words("c", 14)}`;
    expect(cut(text, 20).every(({ context }) => context === "")).toBe(true);
  });

  it("takes a label or two for no talk", () => {
    const text = `Note: ${words("a", 14)}\n\n${words("b", 14)}\n\nWarning: ${words("c", 14)}`;
    expect(cut(text, 16).every(({ context }) => context === "")).toBe(true);
  });
});

describe("an edit", () => {
  const paragraph = fc
    .tuple(fc.constantFrom("rain", "sun", "wind", "snow"), fc.integer({ min: 4, max: 40 }), fc.boolean())
    .map(([word, count, isSection]) => `${isSection ? `## ${word}\n\n` : ""}${words(word, count)}`);

  it("moves no cut that lies several chunks before it", () => {
    fc.assert(
      fc.property(
        fc.array(paragraph, { minLength: 60, maxLength: 90 }),
        fc.string({ maxLength: 40 }),
        (list, ending) => {
          const before = cut(list.join("\n\n"), 30);
          const after = cut([...list, ending].join("\n\n"), 30);
          // The last region has 24 chunks at most, and a short rest joins it.
          const settled = Math.max(0, before.length - 60);
          expect(after.slice(0, settled)).toEqual(before.slice(0, settled));
        },
      ),
      { numRuns: 50 },
    );
  });
});
