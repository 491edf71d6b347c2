import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_GATE_POLICY } from "../../../src/lib/contract/gate-policy.ts";
import { TIERS } from "../../../src/lib/contract/scope.ts";
import { inspectText } from "../../../src/lib/gate/inspect-text.ts";
import { measuresByText } from "./measures-by-text.ts";

describe("the measures of legitimate texts", () => {
  // test/workerd/gate.test.ts holds workerd to the same file. They change with GATE_VERSION only.
  it("are those of the golden file", () => {
    const golden: unknown = JSON.parse(readFileSync(new URL("measures.golden.json", import.meta.url), "utf8"));
    expect(measuresByText()).toEqual(golden);
  });
});

/** Measures that are no share of the text: counts, lengths, symbols per word. */
const NO_SHARES = new Set<string>(["words_few", "words_short", "words_long", "symbols_many"]);

describe("the measures of any text", () => {
  it("are finite, and shares lie between 0 and 1", () => {
    const word = fc.constantFrom(
      "a",
      "the",
      "...",
      "…",
      "#",
      "- ",
      "|",
      "lorem",
      "12",
      "\u0001",
      "{",
      "\ufffd",
      "哈",
      "👍",
      "é",
      "\n",
      "\n\n",
      " ",
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 400 }).map((words) => words.join(" ")),
      fc.array(word, { maxLength: 400 }).map((words) => words.join("")),
      fc.string({ unit: "binary", maxLength: 500 }),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(...TIERS), (given, tier) => {
        const { rules, verdict, reasons } = inspectText(given, tier, DEFAULT_GATE_POLICY);
        for (const { code, measure } of rules) {
          if (measure === null) continue;
          expect(measure, code).toBeGreaterThanOrEqual(0);
          expect(measure, code).toBeLessThanOrEqual(NO_SHARES.has(code) ? Number.MAX_SAFE_INTEGER : 1);
        }
        expect(verdict === "accepted").toBe(reasons.length === 0);
      }),
    );
  });
});
