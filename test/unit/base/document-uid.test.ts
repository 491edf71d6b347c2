import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentUid, versionKey } from "../../../src/lib/base/document-uid.ts";

const identity = fc.record({
  tenantId: fc.string(),
  userId: fc.string(),
  tier: fc.constantFrom("doc", "event"),
  documentId: fc.string(),
});

describe("a document's key", () => {
  it("is a UUID of version 8 that every writer derives alike", () => {
    fc.assert(
      fc.property(identity, (name) => {
        expect(documentUid(name)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(documentUid({ ...name })).toBe(documentUid(name));
      }),
    );
  });

  it("differs when tenant, user, tier or id differ, also where their letters run together", () => {
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        expect(documentUid(a) === documentUid(b)).toBe(isSame);
      }),
    );
    expect(documentUid({ tenantId: "a", userId: "bc", tier: "doc", documentId: "d" })).not.toBe(
      documentUid({ tenantId: "ab", userId: "c", tier: "doc", documentId: "d" }),
    );
  });
});

describe("a version key", () => {
  it("sorts by request, then by position in it", () => {
    const ulids = ["01J0000000000000000000000A", "01J0000000000000000000000B"];
    fc.assert(
      fc.property(
        fc.tuple(fc.constantFrom(...ulids), fc.nat(999)),
        fc.tuple(fc.constantFrom(...ulids), fc.nat(999)),
        (a, b) => {
          const order = a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
          expect(versionKey(...a) < versionKey(...b)).toBe(order);
        },
      ),
    );
  });
});
