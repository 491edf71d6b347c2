import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownRows, ownTenantRows } from "../../../src/lib/flows/own-rows.ts";

const name = fc.constantFrom("", "ann", "Ann", "bob", "é", "e\u0301");
const row = fc.record({ tenant_id: fc.constantFrom("acme", "acme2"), user_id: name });

describe("the last check of rows", () => {
  it("lets rows through exactly when each is the reader's own or shared", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), name, (rows, userId) => {
        const reader = { tenantId: "acme", userId };
        const foreignCount = rows.filter(
          (each) => each.tenant_id !== "acme" || !["", userId].includes(each.user_id),
        ).length;
        expect(ownRows("search", reader, rows)).toEqual(
          foreignCount === 0
            ? { ok: true, value: rows }
            : { ok: false, error: { code: "internal", isolation: { place: "search", foreignCount } } },
        );
      }),
    );
  });

  it("shows a reader of the whole tenant every user of it, and no row of another tenant", () => {
    const reader = { tenantId: "acme", userId: "*" };
    const own = { tenant_id: "acme", user_id: "ann" };
    expect(ownRows("receipts", reader, [own]).ok).toBe(true);
    expect(ownRows("receipts", reader, [own, { tenant_id: "acme2", user_id: "" }]).ok).toBe(false);
    expect(ownTenantRows("batches", "acme", [own]).ok).toBe(true);
    expect(ownTenantRows("batches", "acme", [own, { tenant_id: "acme2" }]).ok).toBe(false);
  });
});
