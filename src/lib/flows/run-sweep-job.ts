import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import { leaseRowSchema, releaseLease, takeLease, upsertJobRun } from "../db/queries/jobs.ts";
import { problemOfSql } from "./problem-of.ts";
import { sweep, SWEEP_BOUNDS, type SweepContext, type SweepReport } from "./sweep.ts";

const JOB_NAME = "sweep";
/** Longer than a run can take (a cron invocation has 15 minutes at most), so that a crashed holder blocks one hour's share of runs only. */
const LEASE_SECONDS = 15 * 60;

const cursorSchema = z.object({
  swept_at_ms: z.number().default(0),
  complete_up_to: z.record(z.string(), z.string()).default({}),
});

/**
 * One run of the sweeper under its lease, listed in `job_runs`. The same tick again, or a second holder, changes nothing:
 * `conflict` when another run holds the lease.
 */
export async function runSweepJob(
  context: SweepContext,
  run: { readonly scheduledAtMs: number; readonly holder: string },
): Promise<Result<SweepReport, Problem>> {
  const system = { tenantId: "", userId: "" };
  const lease = await context.sql.transaction(system, [takeLease(JOB_NAME, run.holder, LEASE_SECONDS)]);
  if (!lease.ok) return err(problemOfSql(lease.error));
  const row = lease.value[0]?.[0];
  if (row === undefined) return err({ code: "conflict", detail: "another run of this job holds its lease" });
  const before = cursorSchema.parse(leaseRowSchema.parse(row).cursor);
  const startedAtMs = context.clock();
  const report = await sweep(context, { sweptAtMs: before.swept_at_ms, ...SWEEP_BOUNDS }, before.complete_up_to);
  const cursor = { swept_at_ms: startedAtMs, complete_up_to: report.cursor };
  const written = await context.sql.transaction(system, [
    upsertJobRun({
      runId: `${JOB_NAME}-${new Date(run.scheduledAtMs).toISOString()}`,
      jobName: JOB_NAME,
      scheduledAt: new Date(run.scheduledAtMs).toISOString(),
      startedAt: new Date(startedAtMs).toISOString(),
      outcome: report.failedCount > 0 ? "failed" : report.done ? "done" : "partial",
      report: { ...report, cursor: undefined },
    }),
    releaseLease(JOB_NAME, run.holder, cursor),
  ]);
  return written.ok ? ok(report) : err(problemOfSql(written.error));
}
