import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markWords } from "../../../src/dashboard/service/mark-words.ts";

const marked = (text: string, query: string): readonly string[] =>
  markWords(text, query).flatMap((part) => (part.isMarked ? [part.text] : []));

describe("words of a query in a text", () => {
  it("are marked in whatever form they stand", () => {
    expect(marked("The ships sailed; a ship sails, shipping ended.", "which ship sailed?")).toEqual([
      "ships",
      "sailed",
      "ship",
      "sails",
    ]);
    expect(marked("Ice kept them. The icing did not.", "kept by the ice")).toEqual(["Ice", "kept"]);
  });

  it("are not marked where they say nothing by themselves", () => {
    expect(marked("the a of and", "the a of and")).toEqual([]);
  });

  it("leave the text as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, query) => {
        expect(
          markWords(text, query)
            .map((part) => part.text)
            .join(""),
        ).toBe(text);
      }),
    );
  });
});
