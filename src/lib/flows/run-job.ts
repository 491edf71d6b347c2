import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import { leaseRowSchema, releaseLease, takeLease, upsertJobRun } from "../db/queries/jobs.ts";
import type { Sql } from "../db/sql.ts";
import { problemOfSql } from "./problem-of.ts";

/** Longer than a run can take (a cron invocation has 15 minutes at most), so that a crashed holder blocks one hour's share of runs only. */
const LEASE_SECONDS = 15 * 60;

export interface JobContext {
  readonly sql: Sql;
  readonly clock: () => number;
}

/** One run of a job, and where the next one goes on. */
export interface JobOutcome<R> {
  readonly report: R;
  readonly outcome: "done" | "partial" | "failed";
  readonly cursor: Readonly<Record<string, unknown>>;
}

export interface Job<C extends JobContext, R> {
  readonly name: string;
  /** Whether the configuration wants it to run; left out: always. */
  readonly isEnabled?: (context: C) => boolean;
  readonly run: (context: C, cursor: Readonly<Record<string, unknown>>) => Promise<JobOutcome<R>>;
}

/**
 * One run of a job under its lease, listed in `job_runs`. The same tick again, or a second holder, changes nothing: `conflict` when another
 * run holds the lease.
 */
export async function runJob<C extends JobContext, R>(
  context: C,
  job: Job<C, R>,
  run: { readonly scheduledAtMs: number; readonly holder: string },
): Promise<Result<R, Problem>> {
  const system = { tenantId: "", userId: "" };
  const lease = await context.sql.transaction(system, [takeLease(job.name, run.holder, LEASE_SECONDS)]);
  if (!lease.ok) return err(problemOfSql(lease.error));
  const row = lease.value[0]?.[0];
  if (row === undefined) return err({ code: "conflict", detail: "another run of this job holds its lease" });
  const startedAtMs = context.clock();
  const { report, outcome, cursor } = await job.run(context, leaseRowSchema.parse(row).cursor);
  const written = await context.sql.transaction(system, [
    upsertJobRun({
      runId: `${job.name}-${new Date(run.scheduledAtMs).toISOString()}`,
      jobName: job.name,
      scheduledAt: new Date(run.scheduledAtMs).toISOString(),
      startedAt: new Date(startedAtMs).toISOString(),
      outcome,
      report,
    }),
    releaseLease(job.name, run.holder, cursor),
  ]);
  return written.ok ? ok(report) : err(problemOfSql(written.error));
}
