import { describe, expect, it } from "vitest";
import { DEFAULT_GATE_POLICY, GATE_RULE_CODES, gatePolicySchema } from "../../../src/lib/contract/gate-policy.ts";
import { inspectText } from "../../../src/lib/gate/inspect-text.ts";

describe("a text inspected", () => {
  it("shows every rule with its measure and its thresholds, also the ones it passes", () => {
    const inspection = inspectText("again ".repeat(100), "doc", DEFAULT_GATE_POLICY);
    expect(inspection.verdict).toBe("quarantined");
    expect(inspection.rules.map((rule) => rule.code)).toEqual(GATE_RULE_CODES);
    expect(inspection.rules).toContainEqual({
      code: "repeated_word",
      kind: "max",
      measure: 1,
      strict: 0.5,
      floor: 0.8,
      step: null,
    });
    expect(inspection.rules.find((rule) => rule.code === "letters_few")).toMatchObject({ measure: 1, step: 0 });
  });

  it("says which rules the text is too short for, and which ones do not judge", () => {
    const policy = gatePolicySchema.parse({ thresholds: { doc: { letters_few: null } } });
    const { rules } = inspectText(
      "A text of a few words that says where we meet and when we do, more or less.",
      "doc",
      policy,
    );
    expect(rules.find((rule) => rule.code === "repeated_line")).toMatchObject({ measure: null, strict: 0.6, step: 0 });
    expect(rules.find((rule) => rule.code === "letters_few")).toMatchObject({ strict: null, floor: null, step: 0 });
  });

  it("names the hard rule alone where one rejects", () => {
    expect(inspectText("a\0b", "doc", DEFAULT_GATE_POLICY)).toMatchObject({
      verdict: "rejected",
      reasons: [{ code: "nul_bytes" }],
      rules: [],
    });
  });
});
