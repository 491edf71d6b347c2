import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import { jobListSchema, jobRunListSchema, jobRunReportSchema } from "../../../lib/contract/job.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import type { Job } from "../../../lib/flows/jobs/job.ts";
import { listJobs, listRuns, readRun } from "../../../lib/flows/jobs/read-jobs.ts";
import type { Context } from "../../context.ts";
import { JOBS, runNotedJob } from "../../jobs.ts";
import { json } from "../respond.ts";
import { route, type Call } from "../route.ts";

/** What a run by hand may take of its job's budget, milliseconds: a client waits for it, and asks again while it is partial. */
const HAND_TIME_MS_MAX = 60_000;

/** No job takes more than one or two. */
const PARAMETERS_MAX = 8;

const NO_SUCH_JOB = `no job of this name; there are ${JOBS.map(({ name }) => name).join(", ")}`;
const SWITCHED_OFF = "the configuration switches this job off; docs/cron.md says what switches it on";

function jobOf(call: Call): Result<Job<Context, unknown>, Problem> {
  const job = JOBS.find((each) => each.name === call.params["name"]);
  return job === undefined ? err({ code: "not_found", detail: NO_SUCH_JOB }) : ok(job);
}

export const adminJobRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/jobs",
    operationId: "listJobs",
    area: "operator",
    summary: "Scheduled jobs: when they run, and how they last ended",
    access: "operator",
    replies: { 200: { description: "All jobs, in the order of the schedule", schema: jobListSchema } },
    problems: ["database_unavailable"],
    async handle({ context }) {
      const jobs = await listJobs(context, JOBS);
      return jobs.ok ? ok(json({ jobs: jobs.value })) : jobs;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/jobs/:name/run",
    operationId: "runJob",
    area: "operator",
    summary: "Run a job now, for a minute at most",
    description:
      "The reply comes when the run has ended; `partial` says that work is left, and asking again goes on with it. With dry_run the report says " +
      "what would be done, and nothing is changed. A run that failed is answered with 200 and its state.",
    access: "operator",
    body: z.strictObject({
      dry_run: z.boolean().default(false),
      parameters: z
        .record(z.string().min(1).max(40), z.string().max(200))
        .refine((given) => Object.keys(given).length <= PARAMETERS_MAX, `at most ${PARAMETERS_MAX} parameters`)
        .default({})
        .describe("what the job is asked for, by name: `restore` takes `at`"),
    }),
    replies: { 200: { description: "The run with its report", schema: jobRunReportSchema } },
    problems: ["not_found", "conflict", "database_unavailable"],
    async handle(call, { body }) {
      const job = jobOf(call);
      if (!job.ok) return job;
      const { context } = call;
      if (job.value.isEnabled?.(context) === false) return err({ code: "conflict", detail: SWITCHED_OFF });
      const ran = await runNotedJob(context, job.value, {
        startedBy: "hand",
        scheduledAtMs: context.clock(),
        isDryRun: body.dry_run,
        parameters: body.parameters,
        timeMsMax: HAND_TIME_MS_MAX,
      });
      call.facts["job"] = job.value.name;
      if (ran.ok) return ok(json(ran.value));
      return err(isProblem(ran.error) ? ran.error : { code: "conflict", detail: REFUSALS[ran.error.code] });
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/jobs/:name/runs",
    operationId: "listJobRuns",
    area: "operator",
    summary: "Runs of a job, newest first",
    access: "operator",
    query: z.strictObject({
      before: z.string().max(200).default("").describe("run_id of the last one of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(50),
    }),
    replies: { 200: { description: "One page, without reports", schema: jobRunListSchema } },
    problems: ["not_found", "database_unavailable"],
    async handle(call, { query }) {
      const job = jobOf(call);
      if (!job.ok) return job;
      const page = { beforeRunId: query.before, rowsMax: query.limit };
      const runs = await listRuns(call.context.sql, job.value.name, page);
      return runs.ok ? ok(json({ runs: runs.value })) : runs;
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/jobs/:name/runs/:run_id",
    operationId: "readJobRun",
    area: "operator",
    summary: "A run of a job with its report",
    access: "operator",
    replies: { 200: { description: "The run", schema: jobRunReportSchema } },
    problems: ["not_found", "database_unavailable"],
    async handle(call) {
      const job = jobOf(call);
      if (!job.ok) return job;
      const run = await readRun(call.context.sql, job.value.name, call.params["run_id"] ?? "");
      return run.ok ? ok(json(run.value)) : run;
    },
  }),
];

const REFUSALS = {
  lease_held: "another run of this job holds its lease",
  already_run: "this run has ended already",
  lease_lost: "another run has taken over",
} as const;

function isProblem(error: Problem | { readonly code: keyof typeof REFUSALS }): error is Problem {
  return !(error.code in REFUSALS);
}
