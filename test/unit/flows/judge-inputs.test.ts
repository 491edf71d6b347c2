import { describe, expect, it } from "vitest";
import { tenantPolicySchema, type TenantPolicy } from "../../../src/lib/contract/policy.ts";
import { judgeInputs } from "../../../src/lib/flows/judging/judge-inputs.ts";
import { normalisedHash } from "../../../src/lib/duplicates/sketch.ts";

const TEXT =
  "The committee met on Tuesday and talked about the budget of the coming year, which nobody in the room had read before.";
const SECRET = "anna.example@example.org";

const policyOf = (policy: object): TenantPolicy => tenantPolicySchema.parse(policy);

function judge(documents: readonly object[], policy: TenantPolicy = policyOf({})) {
  const context = { tenantId: "acme", policy, boundUserId: "", nowMs: Date.UTC(2026, 10, 25) };
  return judgeInputs(
    documents.map((value) => ({ value })),
    context,
  ).map(({ document }) => document);
}

describe("judging the inputs of a request", () => {
  it("redacts text, title and metadata before anything else sees them, and counts by type", () => {
    const policy = policyOf({ pii: { actions: { EMAIL_ADDRESS: "redact" } } });
    const [document] = judge(
      [
        {
          id: "a",
          text: `${TEXT} Write to ${SECRET}.`,
          title: `From ${SECRET}`,
          metadata: { to: [SECRET, "x"], n: 1 },
        },
      ],
      policy,
    );
    expect(document?.verdict).toBe("accepted");
    expect(JSON.stringify(document)).not.toContain(SECRET);
    expect(document?.metadata).toMatchObject({ to: ["[EMAIL_ADDRESS_1]", "x"], n: 1 });
    expect(document?.curation?.pii_counts).toMatchObject({ EMAIL_ADDRESS: 3 });
  });

  it.each([
    ["its text", { text: `${TEXT} ${SECRET}` }],
    ["its title", { text: TEXT, title: SECRET }],
    ["its metadata", { text: TEXT, metadata: { from: SECRET } }],
  ])("keeps nothing of an input that is rejected for %s but its id, place, reasons and counts", (_name, fields) => {
    const policy = policyOf({ pii: { actions: { EMAIL_ADDRESS: "reject" } } });
    const [document] = judge([{ id: "a", source: "mail", ...fields }], policy);
    expect(document).toMatchObject({ verdict: "rejected", text: null, title: "", metadata: {}, source: "mail" });
    expect(document?.reasons[0]?.code).toBe("pii_rejected");
    expect(document?.curation?.pii_counts?.EMAIL_ADDRESS).toBe(1);
    expect(JSON.stringify(document)).not.toContain("example.org");
    expect(JSON.stringify(document)).not.toContain("committee");
  });

  it("holds an input back for what its metadata says, and lets none be the duplicate of it", () => {
    const policy = policyOf({ pii: { actions: { EMAIL_ADDRESS: "quarantine" } } });
    const [held, other] = judge(
      [
        { id: "a", text: TEXT, metadata: { from: SECRET } },
        { id: "b", text: TEXT },
      ],
      policy,
    );
    expect([held?.verdict, other?.verdict]).toEqual(["quarantined", "accepted"]);
  });

  it("names the original of a duplicate, with the hash of the text that is stored of it", () => {
    const [, duplicate] = judge([
      { id: "a", text: TEXT },
      { id: "b", text: TEXT },
    ]);
    expect(duplicate).toMatchObject({ verdict: "duplicate", reasons: [{ code: "duplicate_exact", detail: "a" }] });
    expect(duplicate?.curation?.duplicate_of).toEqual({ document_id: "a", normalised_hash: normalisedHash(TEXT) });
  });

  it("lets nothing be the duplicate of an input that is refused for its identity", () => {
    const [, repeated, third] = judge([
      { id: "a", text: "A first text about the weather of the last week, that was mild for the time of the year." },
      { id: "a", text: TEXT },
      { id: "c", text: TEXT },
    ]);
    expect(repeated).toMatchObject({ verdict: "rejected", reasons: [{ code: "duplicate_id_in_request" }] });
    expect(third?.verdict).toBe("accepted");
  });

  it("marks what was let in by relaxation with its step", () => {
    const junk = `${"token ".repeat(55)} ${TEXT} ${TEXT.toUpperCase().replaceAll("THE", "THOSE")}`;
    const documents = Array.from({ length: 25 }, (_, index) => ({
      id: `d${index}`,
      text: `${index} ${junk} ${index}`,
    }));
    const off = { duplicates: { enabled: false } };
    const relaxed = judge(documents, policyOf({ ...off, gate: { target_acceptance: 1 } }));
    const strict = judge(documents, policyOf({ ...off, gate: { target_acceptance: 0 } }));
    const steps = relaxed.flatMap((document) => document.curation?.relaxed_step ?? []);
    expect(steps.length).toBe(relaxed.filter(({ verdict }) => verdict === "accepted").length);
    expect(strict.every(({ curation }) => curation?.relaxed_step === undefined)).toBe(true);
  });
});
