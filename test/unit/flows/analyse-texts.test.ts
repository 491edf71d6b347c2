import { describe, expect, it } from "vitest";
import { err, ok } from "../../../src/lib/base/result.ts";
import { piiPolicySchema, type PiiSpan } from "../../../src/lib/contract/pii.ts";
import { analyseTexts } from "../../../src/lib/flows/judging/analyse-texts.ts";
import type { Analyzer } from "../../../src/lib/pii/analyzer-client.ts";

const POLICY = piiPolicySchema.parse({ default: "redact" });
const candidates = ["Ann Example was here.", "Nobody was here.", "Ann Example was here."].map((text, index) => ({
  value: { id: `d${index}`, text },
}));
const person: PiiSpan = { type: "PERSON", start: 0, end: 11, score: 0.9, detector: "analyzer:test" };

describe("the external analyzer", () => {
  it("is asked once for each different text, a few at a time, and its spans join the built-in ones", async () => {
    const asked: string[] = [];
    const analyzer: Analyzer = async (text) => {
      asked.push(text);
      return ok(text.startsWith("Ann") ? [person] : []);
    };
    const spans = await analyseTexts(candidates, POLICY, analyzer);
    expect(asked.sort()).toEqual(["Ann Example was here.", "Nobody was here."]);
    expect(spans.ok && spans.value?.get("Ann Example was here.")?.map(({ type }) => type)).toEqual(["PERSON"]);
  });

  it("that does not answer ends the request before anything is judged, unless the policy goes on without it", async () => {
    const analyzer: Analyzer = async () => err({ code: "analyzer_timeout" });
    expect(await analyseTexts(candidates, POLICY, analyzer)).toEqual({
      ok: false,
      error: { code: "pii_analyzer_unavailable" },
    });
    const open = piiPolicySchema.parse({ default: "redact", analyzer_failure: "open" });
    const spans = await analyseTexts(candidates, open, analyzer);
    expect(spans.ok && spans.value?.size).toBe(2);
  });

  it("is not asked where there is none, or where the policy looks for nothing", async () => {
    const analyzer: Analyzer = async () => err({ code: "analyzer_timeout" });
    expect(await analyseTexts(candidates, POLICY, undefined)).toEqual(ok(undefined));
    expect(await analyseTexts(candidates, piiPolicySchema.parse({ enabled: false }), analyzer)).toEqual(ok(undefined));
  });
});
