import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identifierSchema } from "../../../src/lib/contract/scope.ts";
import {
  keyPart,
  segmentKey,
  segmentPrefix,
  sessionMarkerKey,
  summaryKey,
  summaryPrefix,
} from "../../../src/lib/session/session-keys.ts";
import type { SessionIdentity } from "../../../src/lib/session/session-log-api.ts";

const NAME: SessionIdentity = { tenantId: "acme", userId: "ann", sessionId: "s-1" };
const FACTS = {
  firstSeq: 41,
  createdAtMs: Date.UTC(2026, 10, 25, 19, 5, 9, 120),
  eventCount: 7,
  sha256: "0123456789abcdef".repeat(4),
};

/** Bytes of a key at most in R2. */
const R2_KEY_BYTES_MAX = 1024;

const HOSTILE = [
  "../other",
  "..",
  ".",
  "a/b",
  "%2e%2e",
  "%",
  "@shared",
  "@0123456789abcdef0123456789abcdef",
  "аnn", // the first letter is Cyrillic
  "ann",
  "Ann",
  "ａｎｎ",
  "é",
  "e\u0301",
  "a b",
  "a+b",
  "*x",
  "𐍈".repeat(100),
  "x".repeat(121),
  "x".repeat(200),
];

const identifiers = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "binary", minLength: 1, maxLength: 200 }).filter((id) => identifierSchema.safeParse(id).success),
);
const names = fc.record({
  tenantId: fc.constantFrom("acme", "acme-2", "a"),
  userId: fc.oneof(fc.constant(""), identifiers),
  sessionId: identifiers,
});

describe("keys of a session's objects", () => {
  it("say what they hold", () => {
    expect(sessionMarkerKey(NAME)).toBe("sessions/acme/ann/s-1");
    expect(segmentKey(NAME, FACTS)).toBe("segments/acme/ann/s-1/000000000041-20261125T190509Z-7-01234567.seg");
    expect(summaryKey(NAME, 41)).toBe("summaries/acme/ann/s-1/000000000041.json");
    expect(sessionMarkerKey({ ...NAME, userId: "" })).toBe("sessions/acme/@shared/s-1");
  });

  it("sort as the seqs do", () => {
    const keys = [9, 10, 99, 100, 123_456_789_012].map((firstSeq) => segmentKey(NAME, { ...FACTS, firstSeq }));
    expect(keys.toSorted()).toEqual(keys);
  });

  it("keep hostile ids inside their own part", () => {
    const parts = HOSTILE.map(keyPart);
    expect(new Set(parts).size).toBe(HOSTILE.length);
    for (const part of parts) expect(part).toMatch(/^(?!\.{1,2}$)[^/\s]{1,120}$/);
    expect(keyPart("../other")).toBe("..%2Fother");
    expect(keyPart("..")).toMatch(/^@[0-9a-f]{32}$/);
    expect(keyPart("@shared")).toBe("%40shared");
  });

  it("are printable, short enough for R2, and never of two owners", () => {
    fc.assert(
      fc.property(names, names, (one, other) => {
        for (const key of [sessionMarkerKey(one), segmentKey(one, FACTS), summaryKey(one, 1)]) {
          expect(key.length).toBeLessThan(R2_KEY_BYTES_MAX);
          expect(key).toMatch(/^[\x21-\x7e]+$/);
          expect(key.split("/").some((part) => part === "" || part === "." || part === "..")).toBe(false);
        }
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(sessionMarkerKey(one) === sessionMarkerKey(other)).toBe(isSame);
        expect(segmentKey(other, FACTS).startsWith(segmentPrefix(one))).toBe(isSame);
        expect(summaryKey(other, 1).startsWith(summaryPrefix(one))).toBe(isSame);
      }),
      { numRuns: 500 },
    );
  });
});
