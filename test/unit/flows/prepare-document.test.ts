import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { prepareChunks, prepareDocument } from "../../../src/lib/flows/indexing/prepare-document.ts";

const WAL_ID = "01J0000000000000000000000A";
const MODEL = { maxInputTokens: 64, documentPrefix: "" };
/** Counts words; enough to see that budgets are kept. */
const COUNTER = { count: (text: string) => (text.match(/\S+/g) ?? []).length };

function documentOf(fields: Partial<WalDocument>): WalDocument {
  return {
    document_index: 0,
    document_id: "a",
    user_id: "",
    tier: "doc",
    source: "",
    title: "",
    metadata: {},
    occurred_at_ms: null,
    text: "",
    verdict: "accepted",
    reasons: [],
    ...fields,
  };
}

const words = fc
  .array(fc.constantFrom("jet", "wing.", "flow,", "layer", "token.\n\n", "中文", "😀"), { maxLength: 400 })
  .map((list) => list.join(" "));

describe("preparing a document", () => {
  it("gives chunks whose offsets reproduce the source and whose indexed text fits the model with its title", () => {
    fc.assert(
      fc.property(words, fc.constantFrom("", "A short title"), (text, title) => {
        for (const chunk of prepareChunks(documentOf({ text, title }), COUNTER, MODEL)) {
          expect(text.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
          expect(chunk.indexedText).toBe(title === "" ? chunk.text : `${title}\n${chunk.text}`);
          expect(COUNTER.count(chunk.indexedText)).toBeLessThanOrEqual(MODEL.maxInputTokens - 2);
        }
      }),
    );
  });

  it("embeds and indexes headings with the text under them, and an event with its speaker, and stores neither", () => {
    const long = Array.from({ length: 12 }, (_, index) => `Sentence ${index} says that the pump runs well.`).join(" ");
    const chunks = prepareChunks(documentOf({ text: `# Pumps\n\n${long}` }), COUNTER, MODEL);
    const last = chunks.at(-1);
    expect(chunks.length).toBeGreaterThan(1);
    expect(last).toMatchObject({ indexedText: `Pumps\n${last?.text}`, lexicalText: `Pumps\n${last?.text}` });
    expect(last?.text).not.toContain("Pumps");
    const said: Partial<WalDocument> = { text: "I will be there.", metadata: { speaker: "Ann" } };
    expect(prepareChunks(documentOf({ ...said, tier: "event" }), COUNTER, MODEL)[0]).toMatchObject({
      text: "I will be there.",
      indexedText: "Ann:\nI will be there.",
    });
    expect(prepareChunks(documentOf(said), COUNTER, MODEL)[0]?.indexedText).toBe("I will be there.");
  });

  it("finds an event also by what was said before it and by its date, and neither embeds nor stores that", () => {
    const event = documentOf({
      tier: "event",
      text: "In Lisbon!",
      metadata: { speaker: "Ann" },
      context: "Ben: Where do you work?",
      occurred_at_ms: Date.UTC(2023, 4, 8),
    });
    expect(prepareChunks(event, COUNTER, MODEL)).toMatchObject([
      {
        text: "In Lisbon!",
        indexedText: "Ann:\nIn Lisbon!",
        lexicalText: "Ann:\nIn Lisbon!\nAnn:\nIn Lisbon!\nWhere do you work?\n8 May 2023",
      },
    ]);
    const hashOf = (document: WalDocument): string => prepareDocument("t", WAL_ID, document).contentHash;
    expect(hashOf(event)).not.toBe(hashOf({ ...event, context: "Ben: Where do you live?" }));
  });

  it("counts, embeds and indexes a sealed placeholder by its type, and stores all of it", () => {
    const placeholder = `[EMAIL_ADDRESS:v1.0a1b2c3d.${"A".repeat(60)}]`;
    const text = `Write to ${placeholder} about it.`;
    const letters = { count: (part: string) => part.length };
    const [chunk, ...more] = prepareChunks(documentOf({ text, title: `From ${placeholder}` }), letters, {
      ...MODEL,
      maxInputTokens: 80,
    });
    expect(more).toEqual([]);
    expect(chunk).toMatchObject({ text, indexedText: "From [EMAIL_ADDRESS]\nWrite to [EMAIL_ADDRESS] about it." });
  });

  it("leaves a title out of the indexed text when it would crowd out the text", () => {
    const title = "word ".repeat(49).trim();
    const [chunk] = prepareChunks(documentOf({ text: "The jet flows.", title }), COUNTER, MODEL);
    expect(chunk?.indexedText).toBe("The jet flows.");
  });

  it("has one content hash whatever the order of the metadata, and another when anything stored changes", () => {
    const hash = (fields: Partial<WalDocument>): string => prepareDocument("t", WAL_ID, documentOf(fields)).contentHash;
    const base: Partial<WalDocument> = {
      text: "text",
      metadata: { a: 1, b: [2] },
      title: "title",
      source: "source",
      occurred_at_ms: 5,
    };
    expect(hash({ ...base, metadata: { b: [2], a: 1 } })).toBe(hash(base));
    const changes: Partial<WalDocument>[] = [
      { text: "text " },
      { metadata: { a: 2, b: [2] } },
      { title: "" },
      { source: "s" },
      { occurred_at_ms: null },
    ];
    for (const change of changes) expect(hash({ ...base, ...change })).not.toBe(hash(base));
    expect(hash({ ...base, document_index: 7 })).toBe(hash(base));
  });
});
