import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { applyPiiPolicy } from "../../../src/lib/pii/apply-policy.ts";
import { findPii } from "../../../src/lib/pii/find-pii.ts";

/** Pieces that make detectors fire, and pieces that lie between. */
const PIECE = fc.oneof(
  fc.constantFrom(
    "ada@example.org",
    "4111 1111 1111 1111",
    "+44 20 7946 0018",
    "GB82WEST12345698765432",
    "536-22-1234",
    "192.0.2.17",
    "Dr. Ada Lovelace",
    "12 Bay Street, Toronto",
    "6750 Koskikatu 25\nApt. 4\nFinland 38524",
    "password=hunter2",
    "postgres://a:b0@c.d/e",
    "https://example.org/x",
    "[EMAIL_ADDRESS_1]",
    "[PERSON_12]",
    "born on 1/14/1961",
    "-----BEGIN PRIVATE KEY-----",
    "🙂",
    "\u{1F600}é",
  ),
  fc.string({ maxLength: 20, unit: "grapheme" }),
  fc.constantFrom(" ", "\n", ", ", " and ", ".", ":", "@", "0", "-", "A", "'s ", "> "),
);
const TEXT = fc.array(PIECE, { maxLength: 30 }).map((pieces) => pieces.join(""));
const REDACT_ALL = piiPolicySchema.parse({ default: "redact" });

describe("findPii", () => {
  it("gives sorted spans of at least one character that lie in the text and do not overlap", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        let reached = 0;
        for (const span of findPii(text, { scoreMin: 0 })) {
          expect(span.start).toBeGreaterThanOrEqual(reached);
          expect(span.end).toBeGreaterThan(span.start);
          expect(span.score).toBeGreaterThanOrEqual(0);
          expect(span.score).toBeLessThanOrEqual(1);
          reached = span.end;
        }
        expect(reached).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 500 },
    );
  });

  it("gives the same spans for the same text", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        expect(findPii(text)).toEqual(findPii(text));
      }),
    );
  });

  it("gives only wanted types, and nothing under the wanted score", () => {
    fc.assert(
      fc.property(TEXT, fc.double({ min: 0, max: 1, noNaN: true }), (text, scoreMin) => {
        const spans = findPii(text, { types: new Set(["EMAIL_ADDRESS", "GPE"]), scoreMin });
        expect(
          spans.every(({ type, score }) => (type === "EMAIL_ADDRESS" || type === "GPE") && score >= scoreMin),
        ).toBe(true);
      }),
    );
  });

  it("does not split a surrogate pair", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        for (const { start, end } of findPii(text, { scoreMin: 0 })) {
          expect(text.slice(start, end).isWellFormed() || !text.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("redaction", () => {
  it("leaves placeholders alone, so that a redacted text has no secret or identifier to find", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const once = applyPiiPolicy(text, findPii(text), REDACT_ALL).text;
        for (const match of once.matchAll(/\[[A-Z_]+_\d+\]/g)) {
          const end = match.index + match[0].length;
          expect(findPii(once).filter((span) => span.start < end && span.end > match.index)).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("changes nothing outside the spans", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const spans = findPii(text);
        const parts = applyPiiPolicy(text, spans, REDACT_ALL).text;
        let rest = parts;
        let position = 0;
        for (const span of spans) {
          const between = text.slice(position, span.start);
          expect(rest.startsWith(between)).toBe(true);
          rest = rest.slice(between.length).replace(/^\[[A-Z_]+_\d+\]/, "");
          position = span.end;
        }
        expect(rest).toBe(text.slice(position));
      }),
    );
  });
});
