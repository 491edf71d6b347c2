import { beforeAll, describe, expect, it } from "vitest";
import { auditDiffSchema, auditListSchema, auditSchema } from "../../src/lib/contract/audit.ts";
import { diffText } from "../../src/lib/flows/audit/diff-text.ts";
import { jobRunReportSchema } from "../../src/lib/contract/job.ts";
import { ask, makeKey } from "./support/worker.ts";

let operator: string;
let admin: string;

beforeAll(async () => {
  operator = (await makeKey("operations", ["operator"])).key;
  admin = (await makeKey("audits-tenant", ["ingest", "search", "admin"])).key;
});

async function runAudit(): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const headers = { "content-type": "application/json" };
    const reply = await ask("/v1/admin/jobs/audit/run", { method: "POST", key: operator, body: "{}", headers });
    const { state } = jobRunReportSchema.parse(reply.json);
    if (state !== "partial") return expect(state).toBe("done");
  }
  throw new Error("the audit does not end");
}

describe("the routes of audits", () => {
  it("list the days, and show an audit and its difference as JSON and as text, to operators alone", async () => {
    await runAudit();
    const { audits } = auditListSchema.parse((await ask("/v1/admin/audits", { key: operator })).json);
    expect(audits).toHaveLength(1);
    const day = audits[0]?.day ?? "";
    expect(audits[0]?.has_diff).toBe(true);
    const audit = auditSchema.parse((await ask(`/v1/admin/audits/${day}`, { key: operator })).json);
    expect(audit.day).toBe(day);
    const path = `/v1/admin/audits/${day}/diff`;
    const diff = auditDiffSchema.parse((await ask(path, { key: operator })).json);
    expect(diff).toMatchObject({ day, previous_day: null });
    const text = await ask(path, { key: operator, headers: { accept: "text/plain, application/json;q=0.5" } });
    expect(text.text).toBe(diffText(diff));
    const both = await ask(path, { key: operator, headers: { accept: "application/json, text/plain" } });
    expect(auditDiffSchema.parse(both.json)).toEqual(diff);
    for (const asked of ["/v1/admin/audits", `/v1/admin/audits/${day}`, path]) {
      const refused = await ask(asked, { key: admin });
      expect([asked, refused.status]).toEqual([asked, 403]);
    }
  });

  it("know no other day, and nothing beside days", async () => {
    for (const day of ["2020-01-01", "part", "2026-13-01", "..%2Fwal"])
      expect((await ask(`/v1/admin/audits/${day}`, { key: operator })).status).toBe(404);
    const before = await ask("/v1/admin/audits?before=2020-01-01", { key: operator });
    expect(before.json).toEqual({ audits: [] });
    expect((await ask("/v1/admin/audits?before=yesterday", { key: operator })).status).toBe(422);
  });
});
