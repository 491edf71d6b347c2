import { z } from "zod";
import type { Statement } from "../sql.ts";

/** Takes the lease of a job if nobody holds it, and returns its cursor; no row when another holder has it. */
export function takeLease(jobName: string, holder: string, leaseSeconds: number): Statement {
  return {
    text: `insert into job_leases as l (job_name, holder, expires_at) values ($1, $2, now() + make_interval(secs => $3::int))
           on conflict (job_name) do update set holder = excluded.holder, expires_at = excluded.expires_at
           where l.expires_at < now() or l.holder = excluded.holder
           returning cursor`,
    params: [jobName, holder, leaseSeconds],
  };
}

export const leaseRowSchema = z.object({ cursor: z.record(z.string(), z.unknown()) });

/** Gives the lease back with the cursor to go on from; does nothing if it was lost meanwhile. */
export function releaseLease(jobName: string, holder: string, cursor: Readonly<Record<string, unknown>>): Statement {
  return {
    text: `update job_leases set expires_at = now(), cursor = $3::jsonb where job_name = $1 and holder = $2`,
    params: [jobName, holder, JSON.stringify(cursor)],
  };
}

/** Lists a run of a job. Twice means once: the id is made of the job and the time it was due. */
export function upsertJobRun(run: {
  readonly runId: string;
  readonly jobName: string;
  readonly scheduledAt: string;
  readonly startedAt: string;
  readonly outcome: "done" | "partial" | "failed";
  readonly report: unknown;
}): Statement {
  return {
    text: `insert into job_runs (run_id, job_name, scheduled_at, started_at, finished_at, outcome, report)
           values ($1, $2, $3::timestamptz, $4::timestamptz, now(), $5, $6::jsonb)
           on conflict (run_id) do update set finished_at = now(), outcome = excluded.outcome, report = excluded.report`,
    params: [run.runId, run.jobName, run.scheduledAt, run.startedAt, run.outcome, JSON.stringify(run.report)],
  };
}
