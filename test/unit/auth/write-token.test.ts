import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWriteToken, openWriteToken, sealWriteToken, type WriteToken } from "../../../src/lib/auth/write-token.ts";

const SECRET = "a secret of the tests, 32 characters";
const TOKEN: WriteToken = {
  tenantId: "acme",
  userId: "ann",
  sessionId: "s-1",
  keyHash: "ab".repeat(32),
  expiresAtMs: 2_000,
};

const text = fc.string({ unit: "grapheme", maxLength: 200 }).filter((id) => id.isWellFormed() && id.length <= 200);
const tokens = fc.record({
  tenantId: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,47}$/),
  userId: text,
  sessionId: text.filter((id) => id.length <= 180),
  keyHash: fc.stringMatching(/^[0-9a-f]{64}$/),
  expiresAtMs: fc.integer({ min: 1, max: 8e15 }),
});

describe("a write token", () => {
  it("says what was sealed, whatever the ids are", () => {
    fc.assert(
      fc.property(tokens, (token) => {
        const sealed = sealWriteToken(token, SECRET);
        expect(sealed).toMatch(/^jst_1\.[\w-]+\.[\w-]{43}$/);
        expect(isWriteToken(sealed)).toBe(true);
        expect(openWriteToken(sealed, SECRET, 0)).toEqual({ ok: true, value: token });
      }),
    );
  });

  it("has room for the longest ids", () => {
    const token = { ...TOKEN, tenantId: "t".repeat(48), userId: "語".repeat(200), sessionId: "𐍈".repeat(90) };
    expect(openWriteToken(sealWriteToken(token, SECRET), SECRET, 0)).toEqual({ ok: true, value: token });
  });

  it("ends when its time is over", () => {
    const sealed = sealWriteToken(TOKEN, SECRET);
    expect(openWriteToken(sealed, SECRET, 1_999).ok).toBe(true);
    expect(openWriteToken(sealed, SECRET, 2_000)).toEqual({ ok: false, error: "token_expired" });
  });

  it("is of one secret only", () => {
    const sealed = sealWriteToken(TOKEN, SECRET);
    expect(openWriteToken(sealed, `${SECRET}.`, 0)).toEqual({ ok: false, error: "token_invalid" });
  });

  it("does not open with any one character changed, added or taken away", () => {
    const sealed = sealWriteToken(TOKEN, SECRET);
    fc.assert(
      fc.property(
        fc.nat({ max: sealed.length - 1 }),
        fc.constantFrom("A", "b", "0", "_", "-", ".", "=", " ", ""),
        (at, character) => {
          const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
          fc.pre(changed !== sealed);
          expect(openWriteToken(changed, SECRET, 0).ok).toBe(false);
          expect(openWriteToken(sealed.slice(0, at) + character + sealed.slice(at), SECRET, 0).ok).toBe(
            character === "",
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("does not open for anything that is no token", () => {
    for (const other of ["", "jst_", "jst_2.e30.x", "jvk_123", `jst_1.${"A".repeat(3_000)}.${"A".repeat(43)}`])
      expect(openWriteToken(other, SECRET, 0)).toEqual({ ok: false, error: "token_malformed" });
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (any) => {
        expect(openWriteToken(any, SECRET, 0).ok).toBe(false);
      }),
    );
  });
});
