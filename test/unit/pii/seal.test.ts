import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PII_TYPES, piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { spansToRedact } from "../../../src/lib/pii/apply-policy.ts";
import { findPii } from "../../../src/lib/pii/find-pii.ts";
import { importPiiKey, type PiiKey } from "../../../src/lib/pii/pii-key.ts";
import { PLACEHOLDER } from "../../../src/lib/pii/placeholder.ts";
import { revealText } from "../../../src/lib/pii/reveal.ts";
import { SEALED_VALUE_BYTES_MAX, sealedSize, Sealer } from "../../../src/lib/pii/seal.ts";

const TEXT = "Zoë 🙂 wrote from ada@example.org and ada@example.org, then from bob@example.org";
const POLICY = piiPolicySchema.parse({ default: "redact", actions: { PERSON: "allow" } });

async function keyOf(fill: number): Promise<PiiKey> {
  const key = await importPiiKey(new Uint8Array(32).fill(fill));
  if (!key.ok) throw new Error(key.error.code);
  return key.value;
}

function sealed(key: PiiKey, text = TEXT): Promise<string> {
  return new Sealer(key).seal(text, spansToRedact(findPii(text), POLICY));
}

describe("sealed placeholders", () => {
  it("open again with the tenant's key, to the last character", async () => {
    const key = await keyOf(1);
    const text = await sealed(key);
    expect(text).not.toContain("example.org");
    expect(await revealText(text, [await keyOf(2), key])).toEqual({
      text: TEXT,
      openedCount: 3,
      foreignCounts: {},
      brokenCount: 0,
      numberedCount: 0,
    });
  });

  it("are equal for equal values and differ for different ones and under another key", async () => {
    const tokens = (await sealed(await keyOf(1))).match(/\[EMAIL_ADDRESS:[^\]]+\]/g) ?? [];
    expect(tokens).toHaveLength(3);
    expect(tokens[0]).toBe(tokens[1]);
    expect(tokens[0]).not.toBe(tokens[2]);
    expect(await sealed(await keyOf(1))).toBe(await sealed(await keyOf(1)));
    expect(await sealed(await keyOf(2))).not.toContain(tokens[0]);
  });

  it("stay closed to another key, which is told the id of the right one; numbered ones are counted", async () => {
    const [key, other] = [await keyOf(1), await keyOf(2)];
    const text = `${await sealed(key)} [PHONE_NUMBER_1]`;
    expect(await revealText(text, [other])).toEqual({
      text,
      openedCount: 0,
      foreignCounts: { [key.id]: 3 },
      brokenCount: 0,
      numberedCount: 1,
    });
  });

  it("stay closed when a character of the payload or the type was changed, and the others open", async () => {
    const key = await keyOf(1);
    const text = await sealed(key);
    const swapped = text.replace(/(\[EMAIL_ADDRESS:v1\.[0-9a-f]{8}\.[\w-]{20})(.)/, (_, head: string, next: string) =>
      head.concat(next === "A" ? "B" : "A"),
    );
    for (const forged of [swapped, text.replace("[EMAIL_ADDRESS:", "[PHONE_NUMBER:")]) {
      const revealed = await revealText(forged, [key]);
      expect(revealed).toMatchObject({ openedCount: 2, brokenCount: 1 });
      expect(revealed.text).toContain("bob@example.org");
    }
  });

  it("are not found again as personal data", async () => {
    const text = await sealed(await keyOf(3));
    expect(findPii(text).filter((span) => span.type !== "PERSON")).toEqual([]);
  });

  it("have the size that was foretold, whatever the value and the type, and open to it", async () => {
    const key = await keyOf(4);
    const span = fc.record({
      type: fc.constantFrom(...PII_TYPES),
      value: fc.string({ unit: "grapheme", minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(span, { maxLength: 5 }), async (values) => {
        let text = "";
        const spans = values.map(({ type, value }) => {
          const start = text.length + 1;
          text += ` ${value}`;
          return { type, start, end: text.length, score: 1, detector: "test" };
        });
        const result = await new Sealer(key).seal(text, spans);
        expect(new TextEncoder().encode(result)).toHaveLength(sealedSize(text, spans).sizeBytes);
        fc.pre(![...text.matchAll(PLACEHOLDER)].length);
        expect((await revealText(result, [key])).text).toBe(text);
      }),
    );
  });

  it("are recognised up to the longest value that is let in", async () => {
    const value = "x".repeat(SEALED_VALUE_BYTES_MAX);
    const span = { type: "PRIVATE_KEY", start: 0, end: value.length, score: 1, detector: "test" } as const;
    const key = await keyOf(5);
    expect(sealedSize(value, [span]).longestValueBytes).toBe(SEALED_VALUE_BYTES_MAX);
    expect((await revealText(await new Sealer(key).seal(value, [span]), [key])).text).toBe(value);
  });

  it("need a key of 32 bytes", async () => {
    expect(await importPiiKey(new Uint8Array(16))).toEqual({
      ok: false,
      error: { code: "pii_key_invalid", expectedBytes: 32 },
    });
  });
});
