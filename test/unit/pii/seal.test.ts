import { describe, expect, it } from "vitest";
import { piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { findPii } from "../../../src/lib/pii/find-pii.ts";
import { applyPiiPolicySealed, importPiiKey, type PiiKey, revealText } from "../../../src/lib/pii/seal.ts";

const TEXT = "Zoë 🙂 wrote from ada@example.org and ada@example.org, then from bob@example.org";
const POLICY = piiPolicySchema.parse({ default: "redact", actions: { PERSON: "allow" } });

async function keyOf(fill: number): Promise<PiiKey> {
  const key = await importPiiKey(new Uint8Array(32).fill(fill));
  if (!key.ok) throw new Error(key.error.code);
  return key.value;
}

async function sealed(key: PiiKey): Promise<string> {
  return (await applyPiiPolicySealed({ text: TEXT, spans: findPii(TEXT), policy: POLICY }, key)).text;
}

describe("sealed placeholders", () => {
  it("open again with the tenant's key, to the last character", async () => {
    const key = await keyOf(1);
    const text = await sealed(key);
    expect(text).not.toContain("example.org");
    expect(await revealText(text, key)).toEqual({ ok: true, value: TEXT });
  });

  it("are equal for equal values and differ for different ones and under another key", async () => {
    const tokens = (await sealed(await keyOf(1))).match(/\[EMAIL_ADDRESS:[^\]]+\]/g) ?? [];
    expect(tokens).toHaveLength(3);
    expect(tokens[0]).toBe(tokens[1]);
    expect(tokens[0]).not.toBe(tokens[2]);
    expect(await sealed(await keyOf(2))).not.toContain(tokens[0]);
  });

  it("are refused by another key, which is told the id of the right one", async () => {
    const [key, other] = [await keyOf(1), await keyOf(2)];
    expect(await revealText(await sealed(key), other)).toEqual({
      ok: false,
      error: { code: "pii_key_wrong", keyId: key.id },
    });
  });

  it("are refused when a character of the payload or the type was changed", async () => {
    const key = await keyOf(1);
    const text = await sealed(key);
    const swapped = text.replace(/(\[EMAIL_ADDRESS:v1\.[0-9a-f]{8}\.[\w-]{20})(.)/, (_, head: string, next: string) =>
      head.concat(next === "A" ? "B" : "A"),
    );
    for (const forged of [swapped, text.replace("[EMAIL_ADDRESS:", "[PHONE_NUMBER:")]) {
      expect(await revealText(forged, key)).toEqual({ ok: false, error: { code: "pii_seal_broken" } });
    }
  });

  it("are not found again as personal data", async () => {
    const text = await sealed(await keyOf(3));
    expect(findPii(text).filter((span) => span.type !== "PERSON")).toEqual([]);
  });

  it("need a key of 32 bytes", async () => {
    expect(await importPiiKey(new Uint8Array(16))).toEqual({
      ok: false,
      error: { code: "pii_key_invalid", expectedBytes: 32 },
    });
  });
});
