import { describe, expect, it } from "vitest";
import fc from "fast-check";
import type { Audit, TenantAudit } from "../../../../src/lib/contract/audit.ts";
import { diffAudits } from "../../../../src/lib/flows/audit/diff-audits.ts";
import { diffText } from "../../../../src/lib/flows/audit/diff-text.ts";

const tenantOf = (counts: Record<string, number>, more: Partial<TenantAudit> = {}): TenantAudit => ({
  tenant_id: "acme",
  counts,
  findings: [],
  last_erased_at: null,
  sample: { after: "", document_count: 0, chunk_count: 0, not_recomputable_count: 0 },
  ...more,
});

const auditOf = (tenants: readonly TenantAudit[], more: Partial<Audit> = {}): Audit => ({
  schema_version: 1,
  day: "2026-11-25",
  started_at: "2026-11-25T04:00:00.000Z",
  finished_at: "2026-11-25T04:01:00.000Z",
  tenant_count: tenants.length,
  unaudited: [],
  left_out_count: 0,
  totals: {},
  findings: [],
  models: [],
  tenants: [...tenants],
  ...more,
});

function verdictOf(
  name: string,
  before: TenantAudit,
  after: TenantAudit,
): readonly [string | undefined, string | undefined] {
  const diff = diffAudits(
    auditOf([before], { day: "2026-11-24", started_at: "2026-11-24T04:00:00.000Z" }),
    auditOf([after]),
  );
  const change = diff.changes.find((each) => each.name === name);
  return [change?.verdict, change?.reason];
}

describe("the difference of two audits", () => {
  it.each([
    ["documents", {}, "alarming"],
    ["documents", { dropped_batches: 1 }, "expected"],
    ["documents.live", { "documents.deleted": 1 }, "expected"],
    ["documents", { "documents.deleted": 1 }, "alarming"],
    ["tier.doc", { "receipts.indexed": 5 }, "alarming"],
    ["chunks", { "receipts.indexed": 5 }, "expected"],
    ["chunks", { sessions_erased: 1 }, "expected"],
    ["chunks", {}, "alarming"],
    ["ledger", { dropped_batches: 1, "documents.deleted": 1 }, "alarming"],
    ["user_erasures", { dropped_batches: 1 }, "alarming"],
    ["batches", { dropped_batches: 1 }, "expected"],
    ["source.mail", {}, "alarming"],
    ["artifacts.pack", {}, "expected"],
    ["artifacts.segment", {}, "alarming"],
    ["quarantine.held", {}, "expected"],
    ["quarantine", {}, "alarming"],
    ["something new", {}, "alarming"],
    ["toString", {}, "alarming"],
  ])("of fewer %s with the records %j is %s", (name, records, verdict) => {
    expect(verdictOf(name, tenantOf({ [name]: 5 }), tenantOf({ [name]: 4, ...records }))[0]).toBe(verdict);
  });

  it("of rows that an erasure took is expected when the erasure came after the audit before", () => {
    const gone = (at: string) =>
      verdictOf("documents", tenantOf({ documents: 5 }), tenantOf({ documents: 4 }, { last_erased_at: at }))[0];
    expect(gone("2026-11-24T12:00:00.000Z")).toBe("expected");
    expect(gone("2026-11-23T12:00:00.000Z")).toBe("alarming");
  });

  it("of more is growth, but for what should not come", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 1000 }), (name, before, added) => {
        fc.pre(!["ledger.dead", "receipts.failed", "dead_letters_open"].includes(name) && name !== "__proto__");
        expect(verdictOf(name, tenantOf({ [name]: before }), tenantOf({ [name]: before + added }))).toEqual([
          "expected",
          "growth",
        ]);
      }),
      { examples: [["toString", 0, 1]] },
    );
    for (const name of ["ledger.dead", "receipts.failed", "dead_letters_open"])
      expect(verdictOf(name, tenantOf({}), tenantOf({ [name]: 1 }))[0]).toBe("alarming");
  });

  it("of equal audits is none, and of the first one only what is wrong", () => {
    const audit = auditOf([tenantOf({ documents: 3 })]);
    expect(diffAudits(audit, audit).changes).toEqual([]);
    expect(diffAudits(null, audit)).toMatchObject({ previous_day: null, changes: [] });
    const wrong = auditOf([], { findings: [{ check: "vector_norm", count: 2, subjects: ["acme/1/u/1/0"] }] });
    expect(diffAudits(null, wrong).changes).toMatchObject([{ verdict: "alarming", name: "finding vector_norm" }]);
  });

  it("names models that are new, gone or active in the place of another, and tenants that could not be asked", () => {
    const model = (fingerprint: string, state: string) => ({ model_id: 1, fingerprint, dimensions: 3, state });
    const before = auditOf([], { models: [model("a", "active"), model("b", "shadow"), model("c", "shadow")] });
    const after = auditOf([], {
      models: [model("a", "shadow"), model("b", "active"), model("d", "shadow")],
      unaudited: [{ tenant_id: "acme", code: "database_timeout" }],
    });
    const names = diffAudits(before, after).changes.map(({ verdict, name }) => `${verdict} ${name}`);
    expect(names).toEqual(["alarming audit", ...["a", "b", "c", "d"].map((name) => `alarming model ${name}`)]);
  });

  it("says of a tenant that is new that it is new, and nothing of one that could not be asked", () => {
    const before = auditOf([tenantOf({ documents: 3 }, { tenant_id: "old" })]);
    const after = auditOf([tenantOf({ documents: 7 }, { tenant_id: "new" })]);
    expect(diffAudits(before, after).changes).toMatchObject([
      { tenant_id: "new", before: null, after: 7, verdict: "expected" },
    ]);
  });

  it("is read by people: what is alarming first, in columns", () => {
    const before = auditOf([tenantOf({ documents: 1204, chunks: 9 })], { day: "2026-11-24" });
    const after = auditOf([tenantOf({ documents: 1190, chunks: 12 })]);
    expect(diffText(diffAudits(before, after))).toBe(
      [
        "Audit of 2026-11-25, against 2026-11-24: 1 alarming, 1 expected",
        "",
        "Alarming",
        "  acme  documents  1,204 -> 1,190  -14  rows are gone without a record of a deletion",
        "",
        "Expected",
        "  acme  chunks  9 -> 12  +3  growth",
        "",
      ].join("\n"),
    );
  });
});
