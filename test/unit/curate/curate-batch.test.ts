import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { DEFAULT_GATE_POLICY } from "../../../src/lib/contract/gate-policy.ts";
import { curateBatch, type CurateInput, type CuratePolicy } from "../../../src/lib/curate/curate-batch.ts";

const POLICY: CuratePolicy = {
  pii: piiPolicySchema.parse({}),
  gate: DEFAULT_GATE_POLICY,
  duplicates: { enabled: true, near: true },
};
const CARD = "4111 1111 1111 1111";
const PROSE =
  "The lighthouse keeper climbed the stairs each evening to light the lamp, and wrote into his book what ships had passed and how the wind had turned.";

function input(id: string, text: string, more: Partial<CurateInput> = {}): CurateInput {
  return { id, text, tier: "doc", source: "test", userId: "", occurredAtMs: null, title: "", ...more };
}

function curate(inputs: readonly CurateInput[], policy: Partial<CuratePolicy> = {}) {
  return curateBatch(inputs, { tenantId: "t", policy: { ...POLICY, ...policy } });
}

describe("a curated batch", () => {
  it("redacts what the policy redacts in text and title, and counts both", () => {
    const [result] = curate([input("a", `${PROSE} Paid with ${CARD}.`, { title: `Card ${CARD}` })]).results;
    expect(result?.verdict).toBe("accepted");
    expect(result?.text).toContain("[CREDIT_CARD_1]");
    expect(result?.title).toBe("Card [CREDIT_CARD_1]");
    expect(result?.piiCounts.CREDIT_CARD).toBe(2);
    expect(JSON.stringify(result)).not.toContain("1111");
  });

  it("keeps nothing of a text that the policy rejects for personal data", () => {
    const pii = piiPolicySchema.parse({ actions: { CREDIT_CARD: "reject" } });
    const [result] = curate([input("a", `${PROSE} ${CARD}`, { title: "A title" })], { pii }).results;
    expect(result).toMatchObject({ verdict: "rejected", text: null, title: "", textBytes: 0 });
    expect(result?.reasons).toEqual([{ code: "pii_rejected", measure: 1, threshold: 0, detail: "CREDIT_CARD" }]);
  });

  it("quarantines a good text with personal data that the policy quarantines, redacted", () => {
    const pii = piiPolicySchema.parse({ actions: { CREDIT_CARD: "quarantine" } });
    const [result] = curate([input("a", `${PROSE} ${CARD}`)], { pii }).results;
    expect(result?.verdict).toBe("quarantined");
    expect(result?.text).not.toContain(CARD);
  });

  it("names the accepted original of a duplicate", () => {
    const { results } = curate([input("first", PROSE), input("second", PROSE.toUpperCase())]);
    expect(results[1]).toMatchObject({
      verdict: "duplicate",
      duplicateOf: { index: 0, id: "first", kind: "exact" },
      reasons: [{ code: "duplicate_exact", measure: 1 }],
    });
  });

  it("never drops a text in favour of one that is not stored", () => {
    const pii = piiPolicySchema.parse({ actions: { CREDIT_CARD: "reject" } });
    const { results } = curate([input("with card", `${PROSE} ${CARD}`), input("without", PROSE)], { pii });
    expect(results.map((result) => result.verdict)).toEqual(["rejected", "accepted"]);
  });

  it("finds no near-duplicates, or none at all, where the policy says so", () => {
    const texts = [input("first", PROSE), input("second", PROSE)];
    expect(curate(texts, { duplicates: { enabled: false, near: true } }).results[1]?.verdict).toBe("accepted");
    expect(curate(texts, { duplicates: { enabled: true, near: false } }).results[1]?.verdict).toBe("duplicate");
  });

  it("takes the spans of an outside detector instead of its own", () => {
    const spans = [[{ type: "PERSON", start: 4, end: 14, score: 0.9, detector: "analyzer:test" }]] as const;
    const pii = piiPolicySchema.parse({ actions: { PERSON: "redact" } });
    const { results } = curateBatch([input("a", PROSE)], { tenantId: "t", policy: { ...POLICY, pii }, spans });
    expect(results[0]?.text).toContain("The [PERSON_1] keeper");
  });

  it("gives the same verdicts in any order, which text is the original aside", () => {
    const texts = [PROSE, "!!!! #### $$$$ %%%% 12345 67890 ".repeat(8), `${PROSE} ${CARD}`, " ", "Short and fine."];
    fc.assert(
      fc.property(fc.shuffledSubarray(texts, { minLength: 3 }), (order) => {
        const found = curate(order.map((text) => input(text, text))).results;
        const sorted = order.toSorted();
        const again = curate(sorted.map((text) => input(text, text))).results;
        for (const [index, text] of order.entries()) {
          const other = again[sorted.indexOf(text)];
          const isDuplicate = found[index]?.verdict === "duplicate" || other?.verdict === "duplicate";
          if (!isDuplicate) expect(found[index]).toEqual(other);
        }
      }),
    );
  });
});
