import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { DAY_MS, MINUTE_MS } from "../../src/lib/base/durations.ts";
import type { Job, JobContext } from "../../src/lib/flows/jobs/job.ts";
import { JOB_HISTORY_JOB } from "../../src/lib/flows/jobs/history-job.ts";
import { runJob, type FrameContext, type RunRequest } from "../../src/lib/flows/jobs/run-job.ts";
import { TimeBudget } from "../../src/lib/flows/jobs/time-budget.ts";
import type { Row } from "../../src/lib/db/sql.ts";
import { SWEEP_JOB } from "../../src/lib/flows/sweep/sweep-job.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const PAGES = 5;
const SYSTEM = { tenantId: "", userId: "" };
const cursorSchema = z.object({ page: z.int().default(0) });

const PLAN = { summary: "five pages", cron: "0 3 * * *", timeMsMax: 60_000 } as const;

/** A job over five pages that writes an object for each, at the price of one second a page. */
function pagesJob(
  name: string,
  during: (page: number) => Promise<void> = async () => undefined,
): Job<FrameContext & { readonly tick: (ms: number) => void }, { readonly pages: number }> {
  return {
    name,
    ...PLAN,
    async run(context, { cursor, budget, isDryRun }) {
      let { page } = cursorSchema.parse(cursor);
      const first = page;
      for (; page < PAGES; page += 1) {
        if (budget.isSpent()) return { report: { pages: page - first }, outcome: "partial", cursor: { page } };
        if (!isDryRun) await context.bucket.put(`pages/${name}/${page}`, "x", { onlyIf: { etagDoesNotMatch: "*" } });
        await during(page);
        context.tick(1_000);
      }
      return { report: { pages: page - first }, outcome: "done", cursor: {} };
    },
  };
}

describe("a time budget", () => {
  it("is spent once the time between looks sums up to it, wherever the clock jumps", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 30 }), (steps) => {
        let nowMs = 1_000_000;
        let forwardMs = 0;
        const budget = new TimeBudget(() => nowMs, 60_000);
        for (const step of steps) {
          nowMs += step;
          forwardMs += Math.max(0, step);
          expect(budget.isSpent()).toBe(forwardMs >= 60_000);
        }
      }),
    );
  });
});

const BACKENDS = await availableBackends(["pglite", "native"]);

describe.each(BACKENDS)("the frame of jobs, on %s", (backend) => {
  let world: World;
  let jobCount = 0;
  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());

  const contextOf = (crash?: CrashPoint) => ({
    ...world.context(crash),
    tick: (ms: number) => void (world.nowMs += ms),
  });
  const newName = (): string => `pages_${(jobCount += 1)}`;
  const rows = async (text: string, ...params: unknown[]): Promise<readonly Row[]> =>
    expectOk(await world.database.ownerSql.query(statement(text, ...params)));
  const runsOf = (job: string) =>
    rows(
      `select outcome, error_code, dry_run, report, finished_at is null as is_open from job_runs where job_name = $1 order by started_at, run_id`,
      job,
    );
  const leaseOf = async (job: string): Promise<Row | undefined> =>
    (await rows("select cursor, expires_at <= now() as is_free from job_leases where job_name = $1", job))[0];
  const objects = async (prefix: string) => (await world.bucket.list({ prefix })).objects.map(({ key }) => key);
  const endLease = (job: string) =>
    rows("update job_leases set expires_at = now() - interval '1 second' where job_name = $1", job);
  const request = (more: Partial<RunRequest> = {}): RunRequest => ({
    startedBy: "cron",
    scheduledAtMs: Date.UTC(2026, 5, 1, 3),
    isDryRun: false,
    onThrown: () => undefined,
    ...more,
  });

  it("lets one of two holders run, and neither change what the other did", async () => {
    const name = newName();
    const { promise: open, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const slow = pagesJob(name, async () => {
      begin();
      await open;
    });
    const first = runTicked(contextOf(), slow);
    await begun;
    expect(await runTicked(contextOf(), pagesJob(name))).toEqual({ ok: false, error: { code: "lease_held" } });
    resolve();
    expect(expectOk(await first).state).toBe("done");
    expect(expectOk(await runTicked(contextOf(), pagesJob(name))).state).toBe("done");
    expect(await runsOf(name)).toHaveLength(2);
  });

  it("hands over what a run measured, and nothing of a dry one", async () => {
    const measured: unknown[] = [];
    const name = newName();
    const gauges = [{ name: "dead_letters_open", labels: { queue: "embed" }, value: 6 }] as const;
    const job = { ...pagesJob(name), run: async () => ({ report: {}, outcome: "done" as const, cursor: {}, gauges }) };
    const onMeasured: RunRequest["onMeasured"] = (each) => void measured.push(...each);
    expectOk(await runJob(contextOf(), job, request({ isDryRun: true, onMeasured })));
    expect(measured).toEqual([]);
    expectOk(await runJob(contextOf(), job, request({ onMeasured })));
    expect(measured).toEqual(gauges);
  });

  it("makes one run of a tick that fires twice, at once or later", async () => {
    const name = newName();
    const fire = () => runJob(contextOf(), pagesJob(name), request());
    const both = await Promise.all([fire(), fire()]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await fire()).toEqual({ ok: false, error: { code: "already_run" } });
    expect(await leaseOf(name)).toMatchObject({ is_free: true });
    expect(await runsOf(name)).toHaveLength(1);
    expect(await objects(`job_reports/${name}/`)).toHaveLength(1);
  });

  it("stops at its budget and goes on from the cursor, over missed ticks", async () => {
    const name = newName();
    const short = request({ timeMsMax: 2_000 });
    const later = { ...short, scheduledAtMs: short.scheduledAtMs + 9 * DAY_MS };
    expect(expectOk(await runJob(contextOf(), pagesJob(name), short))).toMatchObject({
      state: "partial",
      report: { pages: 2 },
    });
    expect(await leaseOf(name)).toEqual({ cursor: { page: 2 }, is_free: true });
    expect(expectOk(await runJob(contextOf(), pagesJob(name), later)).report).toEqual({ pages: 2 });
    const last = { ...later, scheduledAtMs: later.scheduledAtMs + 1 };
    expect(expectOk(await runJob(contextOf(), pagesJob(name), last))).toMatchObject({
      state: "done",
      report: { pages: 1 },
    });
    expect(await leaseOf(name)).toMatchObject({ cursor: {} });
    expect(await objects(`pages/${name}/`)).toHaveLength(PAGES);
  });

  it("survives a crash at every await: the run shows as died, and the next tick ends the work once", async () => {
    const whole = new CrashPoint(undefined);
    expectOk(await runJob(contextOf(whole), pagesJob(newName()), request()));
    const calls = whole.callCount;
    for (let callIndex = 0; callIndex < calls; callIndex++) {
      for (const moment of ["before", "after"] as const) {
        const name = `${newName()}_${callIndex}_${moment}`;
        const crash = new CrashPoint({ callIndex, moment });
        await runJob(contextOf(crash), pagesJob(name), request()).catch(() => undefined);
        for (const run of await runsOf(name)) if (run["is_open"] === true) expect(run["outcome"]).toBeNull();
        await rows("update job_runs set expires_at = now() - interval '1 second' where job_name = $1", name);
        await endLease(name);
        const again = await runJob(contextOf(), pagesJob(name), request());
        // A reply that was lost after the end: the run is over, and the same tick does not run again.
        if (!again.ok) expect(again.error.code).toBe("already_run");
        expect(await runsOf(name)).toMatchObject([{ outcome: "done", is_open: false }]);
        expect(await objects(`pages/${name}/`)).toHaveLength(PAGES);
        expect(await leaseOf(name)).toEqual({ cursor: {}, is_free: true });
      }
    }
    expect(calls).toBeGreaterThanOrEqual(PAGES + 3);
  });

  it("keeps the new holder's cursor when a lease was lost in the middle, and says so", async () => {
    const name = newName();
    const slow = pagesJob(name, async (page) => {
      if (page !== 1) return;
      await endLease(name);
      const other = runTicked(contextOf(), pagesJob(name), { timeMsMax: 3_000 });
      expect(expectOk(await other)).toMatchObject({ state: "partial", report: { pages: 3 } });
    });
    expect(expectOk(await runTicked(contextOf(), slow))).toMatchObject({ state: "failed", error_code: "lease_lost" });
    expect(await leaseOf(name)).toMatchObject({ cursor: { page: 3 } });
  });

  it("gives a lost lease no second effect when both runs are of one tick", async () => {
    const name = newName();
    const slow = pagesJob(name, async (page) => {
      if (page !== 1) return;
      await endLease(name);
      expect(expectOk(await runJob(contextOf(), pagesJob(name), request())).state).toBe("done");
    });
    expect(await runJob(contextOf(), slow, request())).toEqual({ ok: false, error: { code: "lease_lost" } });
    expect(await runsOf(name)).toMatchObject([{ outcome: "done", error_code: "" }]);
  });

  it("keeps a place in the middle of a run, as long as it has the lease", async () => {
    const name = newName();
    const kept: boolean[] = [];
    const job: Job<JobContext, object> = {
      name,
      ...PLAN,
      async run(_, { checkpoint }) {
        kept.push(await checkpoint({ page: 4 }));
        expect(await leaseOf(name)).toEqual({ cursor: { page: 4 }, is_free: false });
        await rows("update job_leases set holder = 'somebody else' where job_name = $1", name);
        kept.push(await checkpoint({ page: 9 }));
        throw new Error("a text of somebody");
      },
    };
    const ended = expectOk(await runJob(contextOf(), job, request()));
    expect(kept).toEqual([true, false]);
    expect(ended).toMatchObject({ state: "failed", error_code: "lease_lost" });
    expect(await leaseOf(name)).toMatchObject({ cursor: { page: 4 } });
  });

  it("turns what a job throws into a failed run without its message, gives the lease back and keeps the cursor", async () => {
    const name = newName();
    expectOk(await runTicked(contextOf(), pagesJob(name), { timeMsMax: 2_000 }));
    const failing = pagesJob(name, () => Promise.reject(new TypeError("a text of somebody")));
    const thrown: unknown[] = [];
    const ended = await runJob(contextOf(), failing, request({ onThrown: (each) => void thrown.push(each) }));
    expect(expectOk(ended)).toMatchObject({ state: "failed", error_code: "internal", report: {} });
    expect(thrown).toEqual([new TypeError("a text of somebody")]);
    expect(JSON.stringify(await runsOf(name))).not.toContain("somebody");
    for (const key of await objects(`job_reports/${name}/`))
      expect(await (await world.bucket.get(key))?.text()).not.toContain("somebody");
    expect(await leaseOf(name)).toEqual({ cursor: { page: 2 }, is_free: true });
  });

  it("ends early when the clock jumps ahead, and goes on when it jumps back", async () => {
    const name = newName();
    const ahead = pagesJob(name, async (page) => void (world.nowMs += page === 1 ? DAY_MS : 0));
    expect(expectOk(await runTicked(contextOf(), ahead))).toMatchObject({ state: "partial", report: { pages: 2 } });
    const back = pagesJob(name, async () => void (world.nowMs -= DAY_MS));
    expect(expectOk(await runTicked(contextOf(), back))).toMatchObject({ state: "done", report: { pages: 3 } });
  });

  it("refuses a report that is larger than its row should be", async () => {
    const job: Job<JobContext, string> = {
      name: newName(),
      ...PLAN,
      run: async () => ({ report: "x".repeat(300_000), outcome: "done", cursor: {} }),
    };
    expect(expectOk(await runTicked(contextOf(), job))).toMatchObject({
      state: "failed",
      error_code: "report_too_large",
      report: {},
    });
  });

  describe("in a dry run", () => {
    it("reports, leaves its row and writes nothing else, also while another run holds the lease", async () => {
      const name = newName();
      expectOk(await runTicked(contextOf(), pagesJob(name), { timeMsMax: 2_000 }));
      const before = [await objects(""), await leaseOf(name)];
      const dry = { startedBy: "hand", isDryRun: true } as const;
      expect(expectOk(await runTicked(contextOf(), pagesJob(name), dry))).toMatchObject({
        state: "done",
        dry_run: true,
        report: { pages: 3 },
        report_key: null,
      });
      expect([await objects(""), await leaseOf(name)]).toEqual(before);
      expect((await runsOf(name)).map((run) => run["dry_run"])).toEqual([false, true]);
    });

    it("cannot write even where a job forgets that it is one", async () => {
      const attempts: Record<string, (context: ReturnType<typeof contextOf>) => Promise<unknown>> = {
        put: ({ bucket }) => bucket.put("dry", "x"),
        delete: ({ bucket }) => bucket.delete("dry"),
        send: ({ embedQueue }) => embedQueue.sendBatch([]),
        transaction: async ({ sql }) =>
          expectOk(await sql.transaction(SYSTEM, [statement("delete from job_leases returning 1")])),
        query: async ({ sql }) => expectOk(await sql.query(statement("delete from job_leases returning 1"))),
      };
      const leases = await rows("select job_name from job_leases");
      for (const [what, attempt] of Object.entries(attempts)) {
        const job: Job<ReturnType<typeof contextOf>, unknown> = {
          name: newName(),
          ...PLAN,
          run: async (context) => ({ report: await attempt(context), outcome: "done", cursor: {} }),
        };
        const ended = await runJob(contextOf(), job, request({ isDryRun: true }));
        expect(expectOk(ended), what).toMatchObject({ state: "failed", error_code: "internal" });
      }
      expect(await rows("select job_name from job_leases")).toEqual(leases);
    });
  });

  it("keeps runs for five weeks: older ones go with their reports", async () => {
    const name = newName();
    expectOk(await runTicked(contextOf(), pagesJob(name)));
    expectOk(await runTicked(contextOf(), pagesJob(name)));
    await rows(
      `update job_runs set started_at = now() - interval '36 days', expires_at = now() - interval '36 days'
       where run_id = (select min(run_id) from job_runs where job_name = $1)`,
      name,
    );
    const dry = { isDryRun: true } as const;
    expect(expectOk(await runTicked(contextOf(), JOB_HISTORY_JOB, dry)).report).toEqual({ removedCount: 1 });
    expect(await objects(`job_reports/${name}/`)).toHaveLength(2);
    expect(expectOk(await runTicked(contextOf(), JOB_HISTORY_JOB)).report).toEqual({ removedCount: 1 });
    expect(await runsOf(name)).toHaveLength(1);
    expect(await objects(`job_reports/${name}/`)).toHaveLength(1);
  });

  it("lets a round of the sweeper go on in the tenant and at the object where a run stopped", async () => {
    const tenants = ["sweep-a", "sweep-b"].map((tenant) => `${tenant}-${backend}`);
    for (const tenant of tenants)
      for (const id of ["one", "two"]) await world.ingest(tenant, [{ id, text: `The ${id} jet flows over the wing.` }]);
    world.take();
    world.nowMs += 3 * MINUTE_MS;
    const sentTo = () =>
      world
        .take()
        .map((message) => message.tenant_id)
        .filter((tenant) => tenants.includes(tenant));
    const dry = await runTicked(contextOf(), SWEEP_JOB, { isDryRun: true });
    expect(expectOk(dry).report).toMatchObject({ sentCount: 4 });
    expect(sentTo()).toEqual([]);
    // The budget of the first run is spent after its first tenant.
    let looks = 0;
    const budget = new TimeBudget(() => (looks++ > 1 ? 1 : 0), 1);
    const first = await SWEEP_JOB.run(contextOf(), { ...FIRST_RUN, budget });
    expect([first.outcome, sentTo()]).toEqual(["partial", [tenants[0], tenants[0]]]);
    const second = await SWEEP_JOB.run(contextOf(), { ...FIRST_RUN, cursor: first.cursor });
    expect([second.outcome, sentTo()]).toEqual(["done", [tenants[1], tenants[1]]]);
  });
});
