import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/lib/base/limits.ts";
import type { Frame } from "../../../src/lib/contract/session.ts";
import { contextOf, lastTurns, turnOf } from "../../../src/lib/session/turn-context.ts";

const said = (seq: number, text: string, more: Partial<Frame> = {}) =>
  turnOf({ seq, at_ms: 0, role: "user", text, ...more });

describe("the context of an event", () => {
  it("is who said what before it, newest last", () => {
    const turns = [said(1, "Hello."), said(2, "Good morning, sir.", { speaker: "Jeeves" }), said(3, " Tea? ")];
    expect(contextOf(lastTurns(turns))).toBe("Jeeves: Good morning, sir.\nuser: Tea?");
  });

  it("is well-formed and within its limit, whatever was said", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 3_000 }), { maxLength: 4 });
    const speakers = fc
      .string({ minLength: 1, maxLength: 200, unit: "grapheme" })
      .filter((name) => name.isWellFormed());
    fc.assert(
      fc.property(texts, speakers, (list, speaker) => {
        const context = contextOf(lastTurns(list.map((text, index) => said(index, text, { speaker }))));
        expect(context.length).toBeLessThanOrEqual(LIMITS.contextCharactersMax);
        expect(context.isWellFormed()).toBe(true);
      }),
    );
  });

  it("has the end of a long turn, from a word's beginning", () => {
    const { line } = said(1, `${"word ".repeat(600)}end`);
    expect(line).toMatch(/^user: word .* end$/);
  });
});
