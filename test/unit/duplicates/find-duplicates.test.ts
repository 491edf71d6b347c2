import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DuplicateInput, findDuplicatesInBatch } from "../../../src/lib/duplicates/find-duplicates.ts";

const MEMO =
  "The board of Northwind met on 12 May 2021 in Lisbon. Maria Sousa presented the figures of the first quarter: revenue rose to 41.5 " +
  "million euros, costs fell by 3 percent. The committee approved the purchase of two hangars near the airport. A pilot from the rescue " +
  "service explained how often the old hangar had been flooded. Questions about insurance were left to the next meeting in August.";

function input(text: string, change: Partial<DuplicateInput> = {}): DuplicateInput {
  return { tenantId: "acme", userId: "", tier: "doc", speaker: "", occurredAtMs: null, text, ...change };
}

function originalsOf(...inputs: DuplicateInput[]): string[] {
  return findDuplicatesInBatch(inputs).map((match) => `${match.index} ${match.kind} ${match.originalIndex}`);
}

describe("duplicates within a batch", () => {
  it("names the earliest of equal texts, whatever their case, blanks, punctuation and Unicode form", () => {
    expect(
      originalsOf(
        input("Café  au lait, please!"),
        input("something else"),
        input("cafe\u0301 au lait please"),
        input("CAFÉ AU LAIT; PLEASE"),
      ),
    ).toEqual(["2 exact 0", "3 exact 0"]);
  });

  it("keeps numbers, amounts, signs, emoji and questions apart that differ", () => {
    const texts = [
      "it is 3.5",
      "it is 35",
      "it is -3.5",
      "it is 3.5 €",
      "it is 3.5 $",
      "it is 3.5 👍",
      "it is 3.5 👎",
      "it is 3.5?",
      "C++",
      "C#",
    ];
    expect(originalsOf(...texts.map((text) => input(text)))).toEqual([]);
  });

  it("finds a text with typing errors, moved sentences, added boilerplate, a quotation and a cut-off copy", () => {
    const sentences = MEMO.split(/(?<=\.) (?=[A-Z])/);
    const near = [
      MEMO.replace("figures", "figrues").replace("explained", "explaned").replace("insurance", "insurrance"),
      [...sentences.slice(2), ...sentences.slice(0, 2)].join(" "),
      `Please do not reply to this email.\n\n${MEMO}\n\nCopyright 2024 Northwind Corp. All rights reserved.`,
      `On Tue, Mar 5, 2024 Bob wrote:\n${MEMO.replaceAll(/(.{60}) /g, "> $1\n")}`,
      MEMO.slice(0, Math.floor(MEMO.length * 0.6)),
    ];
    expect(originalsOf(input(MEMO), ...near.map((text) => input(text)))).toEqual(
      near.map((_, index) => `${index + 1} near 0`),
    );
  });

  it("keeps a text apart that differs in one figure, one date, one name, one negation or by a new statement", () => {
    const other = [
      MEMO.replace("41.5", "47.5"),
      MEMO.replace("12 May 2021", "12 March 2021"),
      MEMO.replace("Maria Sousa", "Helena Prado"),
      MEMO.replace("committee approved", "committee rejected"),
      MEMO.replace("had been flooded", "had not been flooded"),
      `${MEMO} Later the board decided to sell the northern depot to a neighbour who wants to build flats there instead.`,
    ];
    expect(originalsOf(input(MEMO), ...other.map((text) => input(text)))).toEqual([]);
  });

  it("keeps tenants, users and tiers apart", () => {
    const apart = [
      input(MEMO),
      input(MEMO, { tenantId: "other" }),
      input(MEMO, { userId: "u1" }),
      input(MEMO, { tier: "artifact" }),
    ];
    expect(originalsOf(...apart)).toEqual([]);
  });

  it("takes equal words of one speaker within five seconds for one event, and for two otherwise", () => {
    const said = (occurredAtMs: number | null, speaker = "ann"): DuplicateInput =>
      input("Yes, I will be there at noon.", { tier: "event", speaker, occurredAtMs });
    expect(originalsOf(said(0), said(4_000))).toEqual(["1 exact 0"]);
    expect(originalsOf(said(0), said(60_000))).toEqual([]);
    expect(originalsOf(said(0), said(0, "bob"))).toEqual([]);
    expect(originalsOf(said(null), said(null))).toEqual([]);
  });

  it("gives a match no other input after it can change", () => {
    const texts = fc.array(
      fc.constantFrom(MEMO, MEMO.slice(0, 250), MEMO.toUpperCase(), "short", "Short!", "another"),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const first = findDuplicatesInBatch(before.map((text) => input(text)));
        const both = findDuplicatesInBatch([...before, ...after].map((text) => input(text)));
        expect(both.slice(0, first.length)).toEqual(first);
        const duplicates = new Set(both.map((match) => match.index));
        expect(both.every((match) => match.originalIndex < match.index && !duplicates.has(match.originalIndex))).toBe(
          true,
        );
      }),
    );
  });
});
