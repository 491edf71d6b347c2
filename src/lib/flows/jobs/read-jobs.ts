import { err, ok, type Result } from "../../base/result.ts";
import type { JobEntry, JobRunEntry, JobRunReport } from "../../contract/job.ts";
import type { Problem } from "../../contract/problem.ts";
import { lastRunRowSchema, runRowSchema, selectLastRuns, selectRun, selectRuns } from "../../db/queries/jobs.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { CRON_LINES, type Job, type JobContext } from "./job.ts";
import { runEntry, runReport } from "./run-entry.ts";

const SYSTEM = { tenantId: "", userId: "" } as const;

/** Every job of the table, in its order, with its last run. */
export async function listJobs<C extends JobContext>(
  context: C,
  jobs: readonly Job<C, unknown>[],
): Promise<Result<readonly JobEntry[], Problem>> {
  const statement = selectLastRuns(jobs.map((job) => job.name));
  const rows = await context.sql.transaction(SYSTEM, [statement], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const lastRuns = new Map((rows.value[0] ?? []).map((row) => [row["job_name"], lastRunRowSchema.parse(row)]));
  return ok(
    jobs.map((job) => {
      const last = lastRuns.get(job.name);
      return {
        name: job.name,
        summary: job.summary,
        cron: job.cron,
        when: job.cron === null ? "by hand" : CRON_LINES[job.cron],
        budget_seconds: job.timeMsMax / 1000,
        enabled: job.isEnabled?.(context) !== false,
        last_run: last === undefined ? null : runEntry(last),
        last_done_at: last?.last_done_at?.toISOString() ?? null,
      };
    }),
  );
}

/** One page of the runs of a job, newest first. */
export async function listRuns(
  sql: Sql,
  jobName: string,
  page: { readonly beforeRunId: string; readonly rowsMax: number },
): Promise<Result<readonly JobRunEntry[], Problem>> {
  const rows = await sql.transaction(SYSTEM, [selectRuns(jobName, page)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  return ok((rows.value[0] ?? []).map((row) => runEntry(runRowSchema.parse(row))));
}

/** One run with its report. Errors: `not_found`. */
export async function readRun(sql: Sql, jobName: string, runId: string): Promise<Result<JobRunReport, Problem>> {
  const rows = await sql.transaction(SYSTEM, [selectRun(jobName, runId)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const row = rows.value[0]?.[0];
  return row === undefined ? err({ code: "not_found" }) : ok(runReport(runRowSchema.parse(row)));
}
