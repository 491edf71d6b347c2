import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { jobRunReportSchema } from "../../src/lib/contract/job.ts";
import { ask, makeKey, suiteEnv } from "./support/worker.ts";

let operator: string;
beforeAll(async () => {
  operator = (await makeKey("backup-operations", ["operator"])).key;
});

async function run(job: string, body: object): Promise<z.infer<typeof jobRunReportSchema>> {
  const reply = await ask(`/v1/admin/jobs/${job}/run`, {
    method: "POST",
    key: operator,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  expect(reply.status).toBe(200);
  return jobRunReportSchema.parse(reply.json);
}

describe("backups inside workerd", () => {
  it("are written with a manifest that names each tenant, and a restore looks at them", async () => {
    const report = z.object({ backup_id: z.string(), kind: z.literal("full"), skipped: z.array(z.string()) });
    const ended = await run("backup", {});
    expect(ended.state).toBe("done");
    const { backup_id: backupId, skipped } = report.parse(ended.report);
    expect(skipped).toEqual([]);
    const manifest = await (await suiteEnv().BUCKET.get(`backups/${backupId}/manifest.json`))?.json();
    const { tenants } = z.object({ tenants: z.array(z.object({ tenant_id: z.string() })) }).parse(manifest);
    expect(tenants.map(({ tenant_id: tenantId }) => tenantId)).toContain("backup-operations");
    const none = await run("restore", { dry_run: true, parameters: { at: "2001-01-01T00:00:00Z" } });
    expect(none).toMatchObject({ state: "failed", report: { code: "backup_missing" } });
    const looked = await run("restore", { dry_run: true });
    expect(looked.report).toMatchObject({ elapsed_seconds: 0 });
  });

  it("take few and short parameters", async () => {
    for (const parameters of [
      { at: "x".repeat(201) },
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`p${i}`, ""])),
    ]) {
      const reply = await ask("/v1/admin/jobs/restore/run", {
        method: "POST",
        key: operator,
        body: JSON.stringify({ dry_run: true, parameters }),
        headers: { "content-type": "application/json" },
      });
      expect(reply.status).toBe(422);
    }
  });
});
