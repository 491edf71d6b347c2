import { beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/lib/base/limits.ts";
import type { Result } from "../../../src/lib/base/result.ts";
import { type TenantPolicy, tenantPolicySchema } from "../../../src/lib/contract/policy.ts";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { normalisedHash } from "../../../src/lib/duplicates/sketch.ts";
import { judgeInputs } from "../../../src/lib/flows/judging/judge-inputs.ts";
import { sealInputs } from "../../../src/lib/flows/judging/seal-inputs.ts";
import { importPiiKey, type PiiKey } from "../../../src/lib/pii/pii-key.ts";
import { revealText } from "../../../src/lib/pii/reveal.ts";

const TEXT =
  "The committee met on Tuesday and talked about the budget of the coming year, which nobody in the room had read before.";
const ADA = "ada.example@example.org";
const BOB = "bob.example@example.org";
const POLICY = tenantPolicySchema.parse({ pii: { actions: { EMAIL_ADDRESS: "redact" }, reversible: true } });

let key: PiiKey;

function valueOf<T>(result: Result<T, { readonly code: string }>): T {
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
}

beforeAll(async () => {
  key = valueOf(await importPiiKey(new Uint8Array(32).fill(9)));
});

async function judgeAndSeal(documents: readonly object[], policy: TenantPolicy = POLICY) {
  const context = { tenantId: "acme", policy, boundUserId: "", nowMs: Date.UTC(2026, 10, 25) };
  const judged = judgeInputs(
    documents.map((value) => ({ value })),
    context,
  );
  return sealInputs(judged, { policy: policy.pii, key });
}

async function sealed(documents: readonly object[], policy?: TenantPolicy): Promise<WalDocument[]> {
  return valueOf(await judgeAndSeal(documents, policy)).map(({ document }) => document);
}

describe("sealing the inputs of a request", () => {
  it("seals text, title and metadata, which the key opens again; verdict and counts are those of numbered ones", async () => {
    const sent = { text: `${TEXT} Write to ${ADA}.`, title: `From ${ADA}`, metadata: { to: [BOB, "x"], n: 1 } };
    const [input] = valueOf(await judgeAndSeal([{ id: "a", ...sent }]));
    const document = input?.document;
    expect(document).toMatchObject({ verdict: "accepted", curation: { pii_counts: { EMAIL_ADDRESS: 3 } } });
    expect(JSON.stringify(document)).not.toMatch(/example\.org|EMAIL_ADDRESS_1/);
    const { text, title, metadata } = document ?? {};
    const opened = await revealText(JSON.stringify({ text, title, metadata }), [key]);
    expect(JSON.parse(opened.text)).toEqual(sent);
    expect(input?.textBytes).toBe(Buffer.byteLength(document?.text ?? ""));
  });

  it("gives one value the same placeholder in all documents, and the same request the same bytes again", async () => {
    const documents = [
      { id: "a", text: `${TEXT} ${ADA}` },
      {
        id: "b",
        text: `${ADA} wrote that the harvest had been poor in the north and better near the coast this year.`,
      },
    ];
    const [first, second] = await sealed(documents);
    const placeholder = /\[EMAIL_ADDRESS:[^\]]+\]/;
    expect(placeholder.exec(first?.text ?? "")?.[0]).toBe(placeholder.exec(second?.text ?? "")?.[0]);
    expect(await sealed(documents)).toEqual([first, second]);
  });

  it("leaves a placeholder that the client wrote as it was", async () => {
    const [document] = await sealed([{ id: "a", text: `${TEXT} [EMAIL_ADDRESS_1] and ${ADA}` }]);
    expect(document?.text).toMatch(/ \[EMAIL_ADDRESS_1\] and \[EMAIL_ADDRESS:v1\./);
  });

  it("seals what is quarantined, and leaves nothing of what is rejected", async () => {
    const actions = { EMAIL_ADDRESS: "quarantine", US_SSN: "reject" };
    const policy = tenantPolicySchema.parse({ pii: { actions, reversible: true } });
    const [held, out] = await sealed(
      [
        { id: "a", text: `${TEXT} ${ADA}` },
        { id: "b", text: `${TEXT} SSN 536-90-4399` },
      ],
      policy,
    );
    expect(held).toMatchObject({ verdict: "quarantined", text: expect.stringContaining("[EMAIL_ADDRESS:v1.") });
    expect(out).toMatchObject({ verdict: "rejected", text: null });
  });

  it("tells texts apart that differ in a sealed value, and names the hash of the sealed text of an original", async () => {
    const policy = tenantPolicySchema.parse({ ...POLICY, duplicates: { near: false } });
    const documents = [
      { id: "a", text: `${TEXT} ${ADA}` },
      { id: "b", text: `${TEXT} ${BOB}` },
      { id: "c", text: `${TEXT} ${ADA}` },
    ];
    const [original, other, same] = await sealed(documents, policy);
    expect(other).toMatchObject({ verdict: "accepted" });
    expect(same).toMatchObject({ verdict: "duplicate", curation: { duplicate_of: { document_id: "a" } } });
    expect(same?.curation?.duplicate_of?.normalised_hash).toBe(normalisedHash(original?.text ?? ""));
  });

  it.each([
    ["/title", { text: TEXT, title: Array.from({ length: 25 }, (_, n) => `a${n}@example.org`).join(" ") }],
    ["/metadata", { text: TEXT, metadata: { to: Array.from({ length: 300 }, (_, n) => `a${n}@example.org`) } }],
    ["/text", { text: `${TEXT} ${Array.from({ length: 20_000 }, (_, n) => `a${n}@example.org`).join(" and ")}` }],
  ])("rejects what grows past its limit in %s, and keeps nothing of it", async (detail, fields) => {
    const policy = tenantPolicySchema.parse({ ...POLICY, gate: { enabled: false } });
    const [document] = await sealed([{ id: "a", source: "mail", ...fields }], policy);
    expect(document).toMatchObject({ verdict: "rejected", text: null, title: "", metadata: {}, source: "mail" });
    expect(document?.reasons).toMatchObject([{ code: "sealed_too_large", detail }]);
    expect(JSON.stringify(document)).not.toContain("example.org");
  });

  it("refuses a request that grows past what an isolate holds", async () => {
    const addresses = Array.from({ length: 10_000 }, (_, n) => `a${n}@example.org`).join(" and ");
    const documents = Array.from({ length: 25 }, (_, n) => ({ id: `d${n}`, text: `${n} ${addresses}` }));
    const policy = tenantPolicySchema.parse({ ...POLICY, gate: { enabled: false }, duplicates: { enabled: false } });
    const refused = await judgeAndSeal(documents, policy);
    expect(refused).toMatchObject({ ok: false, error: { code: "body_too_large" } });
    expect(JSON.stringify(refused)).toContain(String(LIMITS.decompressedBytesMax));
  });
});
