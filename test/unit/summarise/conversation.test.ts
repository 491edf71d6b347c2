import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CandidateSentences } from "../../../src/lib/summarise/candidate-sentences.ts";
import { describeSegment, segmentTitle } from "../../../src/lib/summarise/describe-segment.ts";
import { SENTENCE_CHARACTERS_MAX, spokenSentences, spokenText } from "../../../src/lib/summarise/spoken-sentence.ts";
import { rollUp, SESSION_SUMMARY, summariseSentences } from "../../../src/lib/summarise/summarise-sentences.ts";
import { addedTerms, distinctiveTerms, NO_TERMS, TermCounter } from "../../../src/lib/summarise/term-counts.ts";

const MAY_8 = Date.UTC(2023, 4, 8, 13, 56);

function said(seq: number, speaker: string, text: string) {
  return { seq, atMs: MAY_8 + seq * 60_000, speaker, text };
}

function termsOf(texts: readonly string[]) {
  const counter = new TermCounter();
  for (const text of texts) counter.add(text);
  return counter.read();
}

describe("the sentences of a message", () => {
  it("are prose: without marks of lists and headings, code and tables", () => {
    const text =
      "## Plan\n- **Buy** two tents.\n2. Book the `ferry`. Then rest.\n| -- | -- |\nx = f(a)[0];\n```\nImport all.\n```";
    expect(spokenSentences(said(1, "Ann", text)).map((sentence) => sentence.text)).toEqual([
      "Plan",
      "Buy two tents.",
      "Book the ferry.",
      "Then rest.",
    ]);
  });

  it("are bounded in length and number, and well-formed, whatever is said", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 3_000 }), (text) => {
        const sentences = spokenSentences(said(1, "Ann", text));
        expect(sentences.length).toBeLessThanOrEqual(60);
        for (const sentence of sentences) {
          expect(sentence.text.length).toBeLessThanOrEqual(SENTENCE_CHARACTERS_MAX);
          expect(sentence.text.isWellFormed()).toBe(true);
        }
      }),
    );
    expect(spokenSentences(said(1, "Ann", "word ".repeat(400)))[0]?.text).toMatch(/ word…$/);
  });

  it("say who and when on each line, neighbours of one speaker together", () => {
    const lines = [said(1, "Ann", "We go."), said(2, "Ann", "It rains."), said(3, "Bob", "Sure.")];
    expect(spokenText(lines)).toBe("Ann (8 May 2023): We go. It rains.\nBob (8 May 2023): Sure.");
  });
});

describe("the candidates of a segment", () => {
  const many = Array.from({ length: 5_000 }, (_, index) => said(index + 1, "Ann", `Number ${index} is a prime. Yes.`));

  it("are all sentences while these are few", () => {
    const few = new CandidateSentences(3);
    for (const message of many.slice(0, 3)) few.add(message);
    expect(few.all()).toHaveLength(6);
  });

  it("are at most 320 of a long segment, from every part of it, in order", () => {
    const candidates = new CandidateSentences(many.length);
    for (const message of many) candidates.add(message);
    const seqs = candidates.all().map(({ seq }) => seq);
    expect(seqs).toHaveLength(320);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    for (let start = 1; start < many.length; start += 500)
      expect(seqs.filter((seq) => seq >= start && seq < start + 500).length).toBeGreaterThan(20);
    expect(candidates.all().every(({ text }) => text !== "Yes.")).toBe(true);
  });
});

describe("a roll-up", () => {
  const unit = (at: number) => Float32Array.from({ length: 8 }, (_, index) => (index === at ? 1 : 0));
  const heard = (seq: number, at: number) => ({
    sentence: {
      ...said(seq, "Ann", `Sentence ${seq} tells much of what matter ${at} brings our friends every long day.`),
      contentWordCount: 8,
    },
    vector: unit(at),
  });

  it("keeps an old matter that was spoken of at length before a new remark", () => {
    const long = summariseSentences([heard(1, 0), heard(2, 0), heard(3, 0), heard(4, 1)]);
    expect(long.map(({ weight }) => weight)).toEqual([3, 1]);
    const whole = rollUp(long, summariseSentences([heard(5, 2)]), { ...SESSION_SUMMARY, sentencesMax: 1 });
    expect(whole.map(({ seq }) => seq)).toEqual([1]);
  });

  it("of a thousand segments stays within its bounds and loses no weight", () => {
    let whole = summariseSentences([]);
    for (let seq = 1; seq <= 1_000; seq++) whole = rollUp(whole, summariseSentences([heard(seq, seq % 8)]));
    expect(whole.length).toBeLessThanOrEqual(SESSION_SUMMARY.sentencesMax);
    expect(whole.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1_000, 3);
  });
});

describe("what a segment is about", () => {
  it("are the words that tell it from what was said before", () => {
    const before = termsOf(Array.from({ length: 20 }, () => "the garden and the kids again"));
    const here = termsOf(["hey the kids sail to Lisbon", "Lisbon has good trams", "the kids like trams"]);
    expect(distinctiveTerms(here, before, { termsMax: 2, names: [] })).toEqual(["lisbon", "trams"]);
    expect(distinctiveTerms(here, NO_TERMS, { termsMax: 10, names: [] })).not.toContain("hey");
    expect(distinctiveTerms(here, before, { termsMax: 2, names: ["Lisbon Smith"] })).not.toContain("lisbon");
  });

  it("is added up over segments, the frequent words kept", () => {
    const both = addedTerms(termsOf(["garden kids", "kids"]), termsOf(["kids boat"]), 2);
    expect(both).toEqual({
      messageCount: 3,
      counts: new Map([
        ["kids", 3],
        ["boat", 1],
      ]),
    });
  });

  it("stands in a description with who spoke, when and how much", () => {
    const outline = {
      eventCount: 3,
      firstAtMs: MAY_8,
      lastAtMs: MAY_8 + 600_000,
      speakers: [
        { name: "Caroline", count: 2 },
        { name: "Melanie", count: 1 },
      ],
      otherCount: 0,
    };
    const central = [{ ...said(1, "Caroline", "We sail to Lisbon."), weight: 2 }];
    expect(segmentTitle(outline)).toBe("Caroline and Melanie, 8 May 2023");
    expect(describeSegment(outline, ["lisbon", "trams"], central)).toBe(
      "Conversation between Caroline (2 messages) and Melanie (1 message) on 8 May 2023 from 13:56 to 14:06 UTC: 3 messages.\n" +
        "It is about lisbon, trams.\n" +
        "Caroline (8 May 2023): We sail to Lisbon.",
    );
  });
});
