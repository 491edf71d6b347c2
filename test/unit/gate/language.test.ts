import { beforeAll, describe, expect, it } from "vitest";
import { gatePolicySchema } from "../../../src/lib/contract/gate-policy.ts";
import { inspectText } from "../../../src/lib/gate/inspect-text.ts";
import { judgeBatch } from "../../../src/lib/gate/judge-batch.ts";
import { judgeText } from "../../../src/lib/gate/judge-text.ts";
import { type LanguageDetector, loadLanguageDetector } from "../../../src/lib/gate/language.ts";

const GERMAN = "Wir treffen uns morgen früh am Bahnhof und fahren dann gemeinsam mit dem ersten Zug in die Berge.";
const ENGLISH = "We meet at the station tomorrow morning and then take the first train into the mountains together.";
const JAPANESE =
  "私たちは、この十年のうちに月へ行くことを選びます。それが簡単だからではなく、困難だからです。月へ行くことを選びます。";
const onlyGerman = gatePolicySchema.parse({ languages: ["de"] });

describe("the language rule", () => {
  let detect: LanguageDetector;
  beforeAll(async () => {
    detect = await loadLanguageDetector();
  });

  it("quarantines what is surely in a language that the policy does not let in, and names it", () => {
    expect(judgeText(GERMAN, "doc", onlyGerman, detect)).toMatchObject({ verdict: "accepted", reasons: [] });
    for (const [text, language] of [
      [ENGLISH, "en"],
      [JAPANESE, "ja"],
    ] as const)
      expect(judgeText(text, "event", onlyGerman, detect)).toMatchObject({
        verdict: "quarantined",
        reasons: [{ code: "language_not_let_in", threshold: 0.15, detail: language }],
      });
  });

  it("lets every language in that is named, and all where none is", () => {
    const both = gatePolicySchema.parse({ languages: ["de", "en"] });
    expect(judgeText(ENGLISH, "doc", both, detect).verdict).toBe("accepted");
    expect(judgeText(JAPANESE, "doc").verdict).toBe("accepted");
  });

  it("does not judge what is too short or no language at all", () => {
    for (const text of [
      "See you tomorrow at the station!",
      "12:30 👍",
      "const total = a + b;",
      "4f2a9c1e7b3d5f60718293a4b5c6d7e8",
    ])
      expect(judgeText(text, "event", onlyGerman, detect).reasons).toEqual([]);
  });

  it("looks past the head of a long text", () => {
    const head = "Subject: status report of the week\nReceived: from the mail server of the company\n";
    expect(judgeText(head + `${GERMAN} `.repeat(3), "doc", onlyGerman, detect).verdict).toBe("accepted");
    const sentences = Array.from(
      { length: 60 },
      (_, index) => `${GERMAN.slice(0, -1)}, und das war der ${index}. Tag.`,
    );
    const { reasons } = judgeText(head.repeat(8) + sentences.join(" "), "doc", onlyGerman, detect);
    expect(reasons.map((reason) => reason.code)).not.toContain("language_not_let_in");
  });

  it("never relaxes, and does not make a batch relax", () => {
    const inputs = Array.from({ length: 40 }, (_, index) => ({
      text: index < 30 ? ENGLISH : GERMAN,
      tier: "doc" as const,
      source: "notes",
    }));
    const batch = judgeBatch(inputs, onlyGerman, detect);
    expect(batch).toMatchObject({ step: 0, sources: [{ accepted: 10, quarantined: 30, relaxed: 0 }] });
  });

  it("needs a detector where the policy restricts languages, and none where the gate is off", () => {
    expect(() => judgeText(GERMAN, "doc", onlyGerman)).toThrow("language detector");
    expect(judgeText(ENGLISH, "doc", { ...onlyGerman, enabled: false }).verdict).toBe("accepted");
  });

  it("is shown by an inspection", () => {
    const { language } = inspectText(GERMAN, "doc", onlyGerman, detect);
    expect(language?.isReliable).toBe(true);
    expect(Object.keys(language?.scores ?? {})[0]).toBe("de");
  });
});
