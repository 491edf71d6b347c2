import { createExecutionContext, createScheduledController } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { jobListSchema, jobRunListSchema, jobRunReportSchema } from "../../src/lib/contract/job.ts";
import { sha256Hex } from "../../src/lib/base/bytes.ts";
import { insertKey } from "../../src/lib/db/queries/api-keys.ts";
import { takeLease } from "../../src/lib/db/queries/jobs.ts";
import worker from "../../src/workers/index.ts";
import { JOBS } from "../../src/workers/jobs.ts";
import { ask, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const SYSTEM = { tenantId: "", userId: "" };
/** One isolate, so that what it counted is in the next reading. */
const bindings = suiteEnv({ LOG_LEVEL: "error" });
let operator: string;
let admin: string;

beforeAll(async () => {
  operator = (await makeKey("operations", ["operator"])).key;
  admin = (await makeKey("jobs-tenant", ["ingest", "search", "admin"])).key;
});

const post = (path: string, body: unknown, key = operator) =>
  ask(
    path,
    { method: "POST", key, body: JSON.stringify(body), headers: { "content-type": "application/json" } },
    bindings,
  );
const reports = async () => (await suiteEnv().BUCKET.list({ prefix: "job_reports/" })).objects.map(({ key }) => key);
const metric = async (series: string): Promise<number> => {
  const { text } = await ask("/metrics", { key: operator }, bindings);
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.split(" ")[1] ?? 0);
};

async function fire(cron: string, scheduledTime: Date): Promise<void> {
  const execution = createExecutionContext();
  await worker.scheduled(createScheduledController({ cron, scheduledTime }), bindings, execution);
}

// Jobs of the five-minute line are run by other suites at the same time, over the same database.
describe("the routes of jobs", () => {
  it("list every job of the schedule, with how it last ended", async () => {
    expect((await post("/v1/admin/jobs/job_history/run", {})).status).toBe(200);
    const { jobs } = jobListSchema.parse((await ask("/v1/admin/jobs", { key: operator })).json);
    expect(jobs.map(({ name }) => name)).toEqual(JOBS.map(({ name }) => name));
    const history = jobs.find(({ name }) => name === "job_history");
    expect(history).toMatchObject({
      cron: "0 3 * * *",
      enabled: true,
      last_run: { state: "done", started_by: "hand" },
    });
    expect(history?.last_done_at).toBe(history?.last_run?.finished_at);
    expect(jobs.find(({ name }) => name === "profile_watch")).toMatchObject({ enabled: false });
  });

  it("run a job: its row, its report in R2 and its metrics say the same", async () => {
    const before = await metric('job_runs_total{job_name="return_duplicates",outcome="done"}');
    const ran = jobRunReportSchema.parse((await post("/v1/admin/jobs/return_duplicates/run", {})).json);
    expect(ran).toMatchObject({
      job: "return_duplicates",
      state: "done",
      started_by: "hand",
      dry_run: false,
      error_code: null,
    });
    expect(ran.report).toMatchObject({ failedCount: 0 });
    const shown = await ask(`/v1/admin/jobs/return_duplicates/runs/${ran.run_id}`, { key: operator });
    expect(shown.json).toEqual(ran);
    const stored = await suiteEnv().BUCKET.get(ran.report_key ?? "");
    expect(await stored?.json()).toMatchObject({ run_id: ran.run_id, outcome: "done", report: ran.report });
    expect(await metric('job_runs_total{job_name="return_duplicates",outcome="done"}')).toBe(before + 1);
    expect(await metric('job_last_success_timestamp_seconds{job_name="return_duplicates"}')).toBeGreaterThan(
      Date.now() / 1000 - 60,
    );
    expect(await metric('job_duration_seconds_count{job_name="return_duplicates"}')).toBeGreaterThan(0);
  });

  it("run it dry: a row, and neither a report in R2, a lease nor a metric", async () => {
    const before = [await reports(), await metric('job_runs_total{job_name="quarantine_retention",outcome="done"}')];
    const ran = await post("/v1/admin/jobs/quarantine_retention/run", { dry_run: true });
    expect(ran.json).toMatchObject({ state: "done", dry_run: true, report_key: null });
    expect([await reports(), await metric('job_runs_total{job_name="quarantine_retention",outcome="done"}')]).toEqual(
      before,
    );
    const leases = await suiteSql().query({
      text: "select 1 from job_leases where job_name = 'quarantine_retention'",
      params: [],
    });
    expect(leases).toEqual({ ok: true, value: [] });
  });

  it("list runs page by page, newest first", async () => {
    for (let count = 0; count < 3; count++) await post("/v1/admin/jobs/job_history/run", {});
    const page = async (query: string) =>
      jobRunListSchema.parse((await ask(`/v1/admin/jobs/job_history/runs?${query}`, { key: operator })).json).runs;
    const all = await page("limit=3");
    const first = await page("limit=2");
    const rest = await page(`limit=1&before=${first.at(-1)?.run_id}`);
    expect([...first, ...rest]).toEqual(all);
    expect(all.map((run) => run.started_at)).toEqual(
      all
        .map((run) => run.started_at)
        .toSorted()
        .toReversed(),
    );
  });

  it("answer 409 while another run holds the lease or the job is switched off, and 404 for what there is not", async () => {
    await suiteSql().transaction(SYSTEM, [takeLease("quarantine_retention", "somebody", 60)]);
    const held = await post("/v1/admin/jobs/quarantine_retention/run", {});
    expect(held.json).toMatchObject({ status: 409, code: "conflict", detail: expect.stringContaining("lease") });
    expect((await post("/v1/admin/jobs/quarantine_retention/run", { dry_run: true })).status).toBe(200);
    expect((await post("/v1/admin/jobs/profile_watch/run", {})).status).toBe(409);
    expect((await post("/v1/admin/jobs/none/run", {})).status).toBe(404);
    expect((await ask("/v1/admin/jobs/none/runs", { key: operator })).status).toBe(404);
    expect((await ask("/v1/admin/jobs/sweep/runs/none", { key: operator })).status).toBe(404);
    expect((await post("/v1/admin/jobs/sweep/run", { dry: true })).json).toMatchObject({ code: "body_invalid" });
  });
});

describe("the scope operator", () => {
  it("is asked for by what concerns all tenants: an admin's key does not do", async () => {
    for (const path of ["/v1/admin/jobs", "/v1/admin/jobs/sweep/runs", "/v1/admin/jobs/sweep/runs/x", "/metrics"])
      expect((await ask(path, { key: admin })).json, path).toMatchObject({ status: 403, code: "scope_missing" });
    for (const path of ["/v1/admin/jobs/sweep/run", "/v1/admin/models"])
      expect((await post(path, {}, admin)).json, path).toMatchObject({ status: 403, code: "scope_missing" });
    expect((await ask("/v1/admin/keys", { key: operator })).json).toMatchObject({ code: "scope_missing" });
  });

  it("cannot be had over the API: not by making, rotating or revoking a key, nor by the role of the Workers in SQL", async () => {
    const { summary } = await makeKey("jobs-tenant", ["admin", "operator"]);
    expect((await post("/v1/admin/keys", { scopes: ["operator"] }, admin)).json).toMatchObject({
      code: "body_invalid",
    });
    const rotated = await post(`/v1/admin/keys/${summary.key_id}/rotate`, { overlap_seconds: 60 }, admin);
    expect(rotated.json).toMatchObject({ status: 409, code: "conflict" });
    const revoked = await ask(`/v1/admin/keys/${summary.key_id}`, { method: "DELETE", key: admin });
    expect(revoked.status).toBe(404);

    const scope = { tenantId: "jobs-tenant", userId: "" };
    const own = { tenantId: "jobs-tenant", userId: "", hint: "", label: "", expiresAtMs: null };
    const inserted = insertKey({ ...own, keyId: "key_x", keyHash: await sha256Hex("x"), scopes: ["operator"] });
    expect((await suiteSql().transaction(scope, [inserted])).ok).toBe(false);
    const raised = {
      text: "update api_keys set scopes = array['operator'] where tenant_id = 'jobs-tenant'",
      params: [],
    };
    expect((await suiteSql().transaction(scope, [raised])).ok).toBe(false);
    const deleted = { text: "delete from api_keys where key_id = $1 returning 1", params: [summary.key_id] };
    expect(await suiteSql().transaction(scope, [deleted])).toEqual({ ok: true, value: [[]] });
  });
});

describe("a cron trigger", () => {
  it("that fires twice for one tick is one run", async () => {
    const tick = new Date("2031-05-01T03:00:00Z");
    await suiteSql().query({ text: "update job_leases set expires_at = now() - interval '1 minute'", params: [] });
    await fire("0 3 * * *", tick);
    const after = await reports();
    await fire("0 3 * * *", tick);
    expect(await reports()).toEqual(after);
    const rows = await suiteSql().query({
      text: "select job_name, outcome from job_runs where scheduled_at = $1::timestamptz order by 1",
      params: [tick.toISOString()],
    });
    const nightly = JOBS.filter((job) => job.cron === "0 3 * * *").map(({ name }) => name);
    const value = nightly.toSorted().map((name) => ({ job_name: name, outcome: "done" }));
    expect(rows).toEqual({ ok: true, value });
    expect(await metric('job_runs_total{job_name="job_history",outcome="already_run"}')).toBe(1);
  });

  it("of a line that the schedule does not have fails, is logged and counted", async () => {
    const logged: string[] = [];
    const log = console.log;
    console.log = (line: string) => void logged.push(line);
    try {
      await expect(fire("1 2 3 4 *", new Date())).rejects.toThrow("no such cron line");
    } finally {
      console.log = log;
    }
    expect(logged.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ event: "cron_unknown", level: "error", cron: "1 2 3 4 *" }),
    );
    expect(await metric("cron_unknown_total")).toBe(1);
  });
});
