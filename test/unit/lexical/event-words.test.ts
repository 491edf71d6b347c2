import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyse } from "../../../src/lib/lexical/analyse.ts";
import { eventWords } from "../../../src/lib/lexical/event-words.ts";

describe("the words of an event", () => {
  it("are its own twice, those said before it once without their speakers, and its date", () => {
    const words = eventWords({
      said: "Ann:\nYes, in Lisbon!",
      context: "Ann: I travel a lot.\nBen: Where do you work?",
      occurredAtMs: Date.UTC(2023, 4, 8, 23, 59),
    });
    expect(words).toBe("Ann:\nYes, in Lisbon!\nAnn:\nYes, in Lisbon!\nWhere do you work?\nI travel a lot.\n8 May 2023");
  });

  it("of a long turn are its own alone, and a long line before it counts by its beginning", () => {
    const long = "word ".repeat(200);
    expect(eventWords({ said: long, context: "Ben: before", occurredAtMs: null })).toBe(`${long}\n${long}`);
    const before = eventWords({ said: "Yes.", context: `Ben: begin ${long}`, occurredAtMs: null }).split("\n")[2];
    expect(before).toMatch(/^begin (word ?)+$/);
    expect(before?.length).toBeLessThanOrEqual(360);
  });

  it("hold every word that was said at least twice, and little more than twice it and 600 characters", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 900 }), fc.string({ maxLength: 2_000 }), (said, context) => {
        const words = eventWords({ said, context, occurredAtMs: null });
        expect(words.startsWith(`${said}\n${said}`)).toBe(true);
        expect(words.length).toBeLessThanOrEqual(2 * said.length + 2 * 600 + 2);
        const own = analyse(said);
        for (const [dimension, count] of own.counts)
          expect(analyse(words).counts.get(dimension)).toBeGreaterThanOrEqual(Math.min(15, 2 * count));
      }),
    );
  });
});
