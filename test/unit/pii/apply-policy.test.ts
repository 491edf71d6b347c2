import { describe, expect, it } from "vitest";
import { piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { applyPiiPolicy } from "../../../src/lib/pii/apply-policy.ts";
import { findPii, PII_RULES_VERSION } from "../../../src/lib/pii/find-pii.ts";
import { needsRescan } from "../../../src/lib/pii/needs-rescan.ts";

const TEXT = "From ada@example.org to bob@example.org, copy to ada@example.org: card 4111 1111 1111 1111";

describe("applyPiiPolicy", () => {
  it("gives the same value the same number", () => {
    const policy = piiPolicySchema.parse({ default: "redact" });
    expect(applyPiiPolicy(TEXT, findPii(TEXT), policy)).toEqual({
      action: "redact",
      text: "From [EMAIL_ADDRESS_1] to [EMAIL_ADDRESS_2], copy to [EMAIL_ADDRESS_1]: card [CREDIT_CARD_1]",
      counts: { EMAIL_ADDRESS: 3, CREDIT_CARD: 1 },
    });
  });

  it("goes on counting after the placeholders that stand in the text already", () => {
    const policy = piiPolicySchema.parse({ default: "redact" });
    const text = "[EMAIL_ADDRESS_7] wrote to ada@example.org of 4111 1111 1111 1111";
    expect(applyPiiPolicy(text, findPii(text), policy).text).toBe(
      "[EMAIL_ADDRESS_7] wrote to [EMAIL_ADDRESS_8] of [CREDIT_CARD_1]",
    );
  });

  it("redacts secrets and identifiers by default and leaves the rest, which it counts", () => {
    const verdict = applyPiiPolicy(TEXT, findPii(TEXT), piiPolicySchema.parse({}));
    expect(verdict.action).toBe("redact");
    expect(verdict.text).toContain("card [CREDIT_CARD_1]");
    expect(verdict.text).toContain("ada@example.org");
    expect(verdict.counts).toEqual({ EMAIL_ADDRESS: 3, CREDIT_CARD: 1 });
  });

  it("takes the strictest action of all types, and shows no value of a type that is quarantined or rejected", () => {
    const policy = piiPolicySchema.parse({ actions: { EMAIL_ADDRESS: "quarantine", CREDIT_CARD: "reject" } });
    const verdict = applyPiiPolicy(TEXT, findPii(TEXT), policy);
    expect(verdict.action).toBe("reject");
    expect(verdict.text).not.toContain("4111");
    expect(verdict.text).not.toContain("@");
  });

  it("lets a type through only where the policy names it or its default is allow and the type is no identifier", () => {
    const policy = piiPolicySchema.parse({ actions: { CREDIT_CARD: "allow" } });
    expect(applyPiiPolicy(TEXT, findPii(TEXT), policy)).toMatchObject({ action: "allow", text: TEXT });
  });

  it("ignores spans under the policy's score, and everything when it is off", () => {
    const spans = [{ type: "PASSPORT", start: 0, end: 4, score: 0.6, detector: "test" }] as const;
    const policy = piiPolicySchema.parse({ score_min: 0.7 });
    expect(applyPiiPolicy(TEXT, spans, policy)).toEqual({ action: "allow", text: TEXT, counts: {} });
    const off = piiPolicySchema.parse({ enabled: false });
    expect(applyPiiPolicy(TEXT, findPii(TEXT), off)).toEqual({ action: "allow", text: TEXT, counts: {} });
  });
});

describe("needsRescan", () => {
  it("is true for text that no rules or older rules have seen", () => {
    expect(needsRescan(null)).toBe(true);
    expect(needsRescan(undefined)).toBe(true);
    expect(needsRescan("", "1")).toBe(true);
    expect(needsRescan("garbage", "1")).toBe(true);
    expect(needsRescan("1", "2")).toBe(true);
    expect(needsRescan("9", "10")).toBe(true);
  });

  it("is false for text that these or newer rules have seen", () => {
    expect(needsRescan(PII_RULES_VERSION)).toBe(false);
    expect(needsRescan("10", "9")).toBe(false);
  });
});
