import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_GATE_POLICY, gatePolicySchema, type GatePolicy } from "../../../src/lib/contract/gate-policy.ts";
import { TIERS } from "../../../src/lib/contract/scope.ts";
import { judgeBatch, RELAXATION_BATCH_MIN, type GateInput } from "../../../src/lib/gate/judge-batch.ts";
import { judgeText } from "../../../src/lib/gate/judge-text.ts";
import { RELAXATION_STEPS } from "../../../src/lib/gate/thresholds.ts";

const GOOD = "We met the supplier on Tuesday and agreed that the next delivery comes a week earlier than planned.";

/** 1,000 characters of which so many are control characters: `control_characters` measures it, 0.02 strict and 0.05 at the floor. */
function damaged(controls: number): string {
  const words = Array.from({ length: 200 }, (_, index) => `${(index + 1_000).toString(26).padStart(4, "w")} `).join("");
  return "\u0001".repeat(controls) + words.slice(controls);
}

const doc = (text: string, source = "notes"): GateInput => ({ text, tier: "doc", source });
const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const policyOf = (policy: unknown): GatePolicy => gatePolicySchema.parse(policy);

// Texts around every threshold, from strict to past the floor, and such that only hard rules catch.
const inputArbitrary: fc.Arbitrary<GateInput> = fc.record({
  text: fc.oneof(
    fc.constant(GOOD),
    fc.integer({ min: 0, max: 110 }).map(damaged),
    fc.integer({ min: 0, max: 40 }).map((same) => `${"one and the same\n".repeat(same)}${lines(40 - same)}`),
    fc.constantFrom("", " ", "a\0b", "\ud800", "\u0001".repeat(99)),
    fc.string({ maxLength: 200 }),
  ),
  tier: fc.constantFrom(...TIERS),
  source: fc.constantFrom("mail", "wiki", "__proto__"),
});
const policyArbitrary: fc.Arbitrary<GatePolicy> = fc
  .record({
    target_acceptance: fc.double({ min: 0, max: 1, noNaN: true }),
    thresholds: fc.constantFrom(
      {},
      { doc: { control_characters: { strict: 0.001, floor: 0.09 } } },
      { event: { repeated_line: null, control_characters: { strict: 0.01 } } },
    ),
  })
  .map(policyOf);

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line number ${index} of the text\n`).join("");
}

describe("a batch at the gate", () => {
  it("is judged strictly while enough is accepted", () => {
    const batch = judgeBatch([...times(19, doc(GOOD)), doc(damaged(33))], DEFAULT_GATE_POLICY);
    expect(batch.step).toBe(0);
    expect(batch.judgements.at(-1)?.verdict).toBe("quarantined");
    expect(batch.steps).toEqual([{ step: 0, accepted: 19, acceptanceRate: 0.95 }]);
  });

  it("relaxes no further than the target asks for, and marks what came in with the step", () => {
    const batch = judgeBatch([...times(17, doc(GOOD)), ...times(3, doc(damaged(33)))], DEFAULT_GATE_POLICY);
    expect(batch.steps.map(({ step, accepted }) => [step, accepted])).toEqual([
      [0, 17],
      [1, 17],
      [2, 20],
    ]);
    expect(batch.judgements.at(-1)).toEqual({
      verdict: "accepted",
      relaxedStep: 2,
      reasons: [
        { code: "relaxed_step", measure: 2, threshold: RELAXATION_STEPS },
        { code: "control_characters", measure: 0.033, threshold: 0.02 },
      ],
      textBytes: 1_000,
    });
  });

  it("stops at the floor, where the reasons name the floor's thresholds", () => {
    const batch = judgeBatch(times(30, doc(damaged(60))), DEFAULT_GATE_POLICY);
    expect(batch.step).toBe(RELAXATION_STEPS);
    expect(batch.judgements[0]?.reasons).toEqual([{ code: "control_characters", measure: 0.06, threshold: 0.05 }]);
  });

  it("does not relax for texts that a hard rule rejects: relaxing cannot help them", () => {
    const batch = judgeBatch([...times(80, doc("a\0b")), ...times(20, doc(GOOD))], DEFAULT_GATE_POLICY);
    expect(batch.step).toBe(0);
    expect(batch.steps[0]?.acceptanceRate).toBe(1);
  });

  it("is judged strictly when it is too small for a rate", () => {
    const small = times(RELAXATION_BATCH_MIN - 1, doc(damaged(33)));
    expect(judgeBatch(small, DEFAULT_GATE_POLICY).step).toBe(0);
    expect(judgeBatch([...small, doc(damaged(33))], DEFAULT_GATE_POLICY).step).toBe(2);
    expect(judgeBatch([], DEFAULT_GATE_POLICY)).toEqual({
      judgements: [],
      step: 0,
      steps: [{ step: 0, accepted: 0, acceptanceRate: 1 }],
      sources: [],
    });
  });

  it("counts by source, with what was let in by relaxation", () => {
    const inputs = [...times(17, doc(GOOD, "wiki")), ...times(3, doc(damaged(33), "mail")), doc("", "mail")];
    expect(judgeBatch(inputs, DEFAULT_GATE_POLICY).sources).toEqual([
      { source: "mail", accepted: 3, relaxed: 3, quarantined: 0, rejected: 1 },
      { source: "wiki", accepted: 17, relaxed: 0, quarantined: 0, rejected: 0 },
    ]);
  });

  it("follows the tenant: rules off, thresholds moved, gate disabled", () => {
    const off = policyOf({ thresholds: { doc: { control_characters: null } } });
    expect(judgeText(damaged(60), "doc", off).reasons).toEqual([]);
    expect(judgeText(damaged(60), "summary", off).verdict).toBe("quarantined");
    const stricter = policyOf({ thresholds: { doc: { control_characters: { strict: 0.01 } } } });
    expect(judgeText(damaged(15), "doc", stricter).reasons).toEqual([
      { code: "control_characters", measure: 0.015, threshold: 0.01 },
    ]);
    const disabled = policyOf({ enabled: false });
    expect(judgeText(damaged(60), "doc", disabled).verdict).toBe("accepted");
    expect(judgeText("a\0b", "doc", disabled).verdict).toBe("rejected");
  });

  it("judges by a rule that the profile only measures, once a tenant sets it", () => {
    const prose = policyOf({
      thresholds: { doc: { bullet_lines: { strict: 0.5 }, words_few: { strict: 5, floor: 2 } } },
    });
    const list = Array.from({ length: 30 }, (_, index) => `- item ${index} of the list`).join("\n");
    expect(judgeText(list, "doc").reasons).toEqual([]);
    expect(judgeText(list, "doc", prose).reasons).toEqual([{ code: "bullet_lines", measure: 1, threshold: 0.5 }]);
    expect(judgeText("too few words", "doc", prose).reasons).toEqual([{ code: "words_few", measure: 3, threshold: 5 }]);
  });

  it("takes a strict value that is laxer than the profile's floor for the floor too", () => {
    const lax = policyOf({ thresholds: { doc: { control_characters: { strict: 0.08 } } } });
    const batch = judgeBatch([...times(20, doc(damaged(70))), ...times(20, doc(damaged(90)))], lax);
    expect(batch.steps.map((step) => step.accepted)).toEqual([20, 20, 20, 20, 20]);
  });

  it("refuses a policy that names an unknown rule, tier, language or field, or a floor stricter than the strict value", () => {
    for (const policy of [
      { thresholds: { doc: { no_such_rule: null } } },
      { thresholds: { essay: {} } },
      { languages: ["English"] },
      { target: 1 },
      { thresholds: { doc: { repeated_word: { strict: 0.9, floor: 0.5 } } } },
      { thresholds: { doc: { letters_few: { strict: 0.1, floor: 0.5 } } } },
      { target_acceptance: 2 },
    ])
      expect(gatePolicySchema.safeParse(policy).success).toBe(false);
  });

  it("says the same whatever the order of the inputs", () => {
    fc.assert(
      fc.property(
        fc.array(inputArbitrary, { maxLength: 60 }).chain((inputs) =>
          fc.record({
            inputs: fc.constant(inputs),
            shuffled: fc.shuffledSubarray(
              inputs.map((_, index) => index),
              { minLength: inputs.length },
            ),
          }),
        ),
        policyArbitrary,
        ({ inputs, shuffled }, policy) => {
          const batch = judgeBatch(inputs, policy);
          const other = judgeBatch(
            shuffled.map((index) => inputs[index] ?? doc("")),
            policy,
          );
          expect(other.steps).toEqual(batch.steps);
          expect(other.sources).toEqual(batch.sources);
          expect(other.judgements).toEqual(shuffled.map((index) => batch.judgements[index]));
        },
      ),
    );
  });

  it("lets in at each step what the one before let in, and reaches the target or the floor", () => {
    fc.assert(
      fc.property(fc.array(inputArbitrary, { maxLength: 60 }), policyArbitrary, (inputs, policy) => {
        const never = judgeBatch(inputs, { ...policy, target_acceptance: 0 });
        const always = judgeBatch(inputs, { ...policy, target_acceptance: 1 });
        const batch = judgeBatch(inputs, policy);
        for (const [index, judgement] of batch.judgements.entries()) {
          if (never.judgements[index]?.verdict === "accepted") expect(judgement.verdict).toBe("accepted");
          if (judgement.verdict === "accepted") expect(always.judgements[index]?.verdict).toBe("accepted");
          expect(judgement.relaxedStep).toBeLessThanOrEqual(batch.step);
        }
        const accepted = batch.steps.map((step) => step.accepted);
        expect(accepted).toEqual(accepted.toSorted((a, b) => a - b));
        const judged = batch.judgements.filter((judgement) => judgement.verdict !== "rejected").length;
        const rate = batch.steps.at(-1)?.acceptanceRate ?? 0;
        if (judged >= RELAXATION_BATCH_MIN && batch.step < RELAXATION_STEPS)
          expect(rate).toBeGreaterThanOrEqual(policy.target_acceptance);
        if (judged < RELAXATION_BATCH_MIN) expect(batch.step).toBe(0);
      }),
    );
  });

  it("never lets relaxation touch a hard rule", () => {
    fc.assert(
      fc.property(fc.array(inputArbitrary, { maxLength: 60 }), (inputs) => {
        const strict = judgeBatch(inputs, { ...DEFAULT_GATE_POLICY, target_acceptance: 0 });
        const relaxed = judgeBatch(inputs, { ...DEFAULT_GATE_POLICY, target_acceptance: 1 });
        const rejected = (batch: typeof strict) => batch.judgements.map(({ verdict }) => verdict === "rejected");
        expect(rejected(relaxed)).toEqual(rejected(strict));
      }),
    );
  });

  it("judges a text alone as in a batch that is strict", () => {
    fc.assert(
      fc.property(inputArbitrary, (input) => {
        expect(judgeBatch([input], DEFAULT_GATE_POLICY).judgements).toEqual([judgeText(input.text, input.tier)]);
      }),
    );
  });
});
