import { describe, expect, it } from "vitest";
import { DEFAULT_GATE_POLICY, gatePolicySchema } from "../../src/lib/contract/gate-policy.ts";
import { judgeBatch } from "../../src/lib/gate/judge-batch.ts";
import { judgeText } from "../../src/lib/gate/judge-text.ts";
import { loadLanguageDetector } from "../../src/lib/gate/language.ts";
import { LEGITIMATE_TEXTS } from "../unit/gate/legitimate-texts.ts";
import { measuresByText } from "../unit/gate/measures-by-text.ts";
import golden from "../unit/gate/measures.golden.json";

describe("the gate at the edge", () => {
  it("measures as it does in Node: test/unit/gate holds the same golden measures", () => {
    expect(measuresByText()).toEqual(golden);
  });

  it("lets legitimate texts in", () => {
    const inputs = LEGITIMATE_TEXTS.map(([name, text]) => ({ text, tier: "event" as const, source: name }));
    const { judgements, step } = judgeBatch(inputs, DEFAULT_GATE_POLICY);
    expect(step).toBe(0);
    for (const judgement of judgements) expect(judgement).toMatchObject({ verdict: "accepted", reasons: [] });
  });

  it("tells languages apart", async () => {
    const detect = await loadLanguageDetector();
    const policy = gatePolicySchema.parse({ languages: ["de"] });
    const german = "Wir treffen uns morgen früh am Bahnhof und fahren dann gemeinsam mit dem ersten Zug in die Berge.";
    const english =
      "We meet at the station tomorrow morning and then take the first train into the mountains together.";
    expect(judgeText(german, "doc", policy, detect).verdict).toBe("accepted");
    expect(judgeText(english, "doc", policy, detect).reasons).toMatchObject([
      { code: "language_not_let_in", detail: "en" },
    ]);
  });
});
