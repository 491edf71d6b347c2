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

/** The cursor of a job, whoever holds its lease. */
export function selectCursor(jobName: string): Statement {
  return { text: "select cursor from job_leases where job_name = $1", params: [jobName] };
}

export const cursorRowSchema = z.object({ cursor: z.record(z.string(), z.unknown()) });

export interface StartedRun {
  readonly runId: string;
  readonly jobName: string;
  readonly holder: string;
  readonly startedBy: "cron" | "hand";
  readonly isDryRun: boolean;
  /** ISO 8601. */
  readonly scheduledAt: string;
  readonly leaseSeconds: number;
}

/**
 * Lists a run that begins, if its holder has the lease (a dry run needs none). The same tick again: takes over what died, and returns no row
 * where the run has ended.
 */
export function startRun(run: StartedRun): Statement {
  return {
    text: `insert into job_runs as r (run_id, job_name, holder, started_by, dry_run, scheduled_at, started_at, expires_at)
           select $1, $2, $3, $4, $5::boolean, $6::timestamptz, now(), now() + make_interval(secs => $7::int)
           where $5::boolean or exists (select from job_leases where job_name = $2 and holder = $3)
           on conflict (run_id) do update set holder = excluded.holder, started_at = excluded.started_at, expires_at = excluded.expires_at
           where r.finished_at is null
           returning started_at`,
    params: [run.runId, run.jobName, run.holder, run.startedBy, run.isDryRun, run.scheduledAt, run.leaseSeconds],
  };
}

export const startedRowSchema = z.object({ started_at: z.date() });

/** Gives a lease back that was taken for a run which had ended already. */
export function releaseUnusedLease({
  runId,
  jobName,
  holder,
}: Pick<StartedRun, "runId" | "jobName" | "holder">): Statement {
  return {
    text: `update job_leases set expires_at = now() where job_name = $2 and holder = $3
             and not exists (select from job_runs where run_id = $1 and holder = $3)`,
    params: [runId, jobName, holder],
  };
}

/** Keeps a cursor in the middle of a run and prolongs its lease; no row when another holder has it. */
export function checkpointRun(run: {
  readonly runId: string;
  readonly jobName: string;
  readonly holder: string;
  readonly leaseSeconds: number;
  readonly cursor: Readonly<Record<string, unknown>>;
}): Statement {
  return {
    text: `with lease as (
             update job_leases set expires_at = now() + make_interval(secs => $4::int), cursor = $5::jsonb
             where job_name = $2 and holder = $3 returning expires_at
           )
           update job_runs r set expires_at = lease.expires_at from lease
           where r.run_id = $1 and r.holder = $3 and r.finished_at is null returning 1`,
    params: [run.runId, run.jobName, run.holder, run.leaseSeconds, JSON.stringify(run.cursor)],
  };
}

export interface FinishedRun {
  readonly runId: string;
  readonly jobName: string;
  readonly holder: string;
  readonly isDryRun: boolean;
  readonly outcome: "done" | "partial" | "failed";
  readonly errorCode: string;
  readonly report: unknown;
  readonly reportKey: string;
  /** Where the next run goes on; null: where this one did. */
  readonly cursor: Readonly<Record<string, unknown>> | null;
}

/**
 * Ends a run: its row, and, while it still holds the lease, the cursor and the lease. Without the lease the run counts as failed with the code
 * `lease_lost`, and the cursor of the new holder stays. No row when another holder has taken over the run itself.
 */
export function finishRun(run: FinishedRun): Statement {
  return {
    text: `with lease as (
             update job_leases set expires_at = now(), cursor = coalesce($4::jsonb, cursor)
             where job_name = $2 and holder = $3 returning 1
           ), held as (select $5::boolean or exists (select from lease) as is_held)
           update job_runs set finished_at = now(), report = $8::jsonb, report_key = $9,
             outcome = case when is_held then $6 else 'failed' end, error_code = case when is_held then $7 else 'lease_lost' end
           from held where run_id = $1 and holder = $3 and finished_at is null
           returning ${RUN_COLUMNS}`,
    params: [
      run.runId,
      run.jobName,
      run.holder,
      run.cursor === null || run.isDryRun ? null : JSON.stringify(run.cursor),
      run.isDryRun,
      run.outcome,
      run.errorCode,
      JSON.stringify(run.report),
      run.reportKey,
    ],
  };
}

/** A run without an end is running while its lease lasts; after that it died. */
const RUN_COLUMNS = `run_id, job_name, started_by, dry_run, scheduled_at, started_at, finished_at,
  case when finished_at is not null then outcome when expires_at > now() then 'running' else 'died' end as state,
  error_code, report, report_key`;

export const runRowSchema = z.object({
  run_id: z.string(),
  job_name: z.string(),
  started_by: z.enum(["cron", "hand"]),
  dry_run: z.boolean(),
  scheduled_at: z.date(),
  started_at: z.date(),
  finished_at: z.date().nullable(),
  state: z.enum(["running", "done", "partial", "failed", "died"]),
  error_code: z.string(),
  report: z.unknown(),
  report_key: z.string(),
});
export type RunRow = z.infer<typeof runRowSchema>;

/** Runs of a job, newest first, behind a run ('' for the first page). */
export function selectRuns(
  jobName: string,
  page: { readonly beforeRunId: string; readonly rowsMax: number },
): Statement {
  return {
    text: `select ${RUN_COLUMNS} from job_runs where job_name = $1
             and ($2 = '' or (started_at, run_id) < (select b.started_at, b.run_id from job_runs b where b.run_id = $2))
           order by started_at desc, run_id desc limit $3::int`,
    params: [jobName, page.beforeRunId, page.rowsMax],
  };
}

export function selectRun(jobName: string, runId: string): Statement {
  return {
    text: `select ${RUN_COLUMNS} from job_runs where job_name = $1 and run_id = $2`,
    params: [jobName, runId],
  };
}

/** The last run of each job that is no dry one, and when it last ended as it should. A row for each job that has run. */
export function selectLastRuns(jobNames: readonly string[]): Statement {
  return {
    text: `select last.*, (select max(finished_at) from job_runs r where r.job_name = names.job_name and r.outcome = 'done' and not r.dry_run) as last_done_at
           from unnest($1::text[]) as names (job_name)
           cross join lateral (select ${RUN_COLUMNS} from job_runs r where r.job_name = names.job_name and not r.dry_run
             order by started_at desc limit 1) as last`,
    params: [jobNames],
  };
}

export const lastRunRowSchema = runRowSchema.extend({ last_done_at: z.date().nullable() });

/** Ended runs older than so many days, oldest first. */
export function selectOldRuns(days: number, rowsMax: number): Statement {
  return {
    text: `select run_id, report_key from job_runs where started_at < now() - make_interval(days => $1::int) and expires_at < now()
           order by started_at limit $2::int`,
    params: [days, rowsMax],
  };
}

export const oldRunRowSchema = z.object({ run_id: z.string(), report_key: z.string() });

export function deleteRuns(runIds: readonly string[]): Statement {
  return { text: "delete from job_runs where run_id = any($1::text[])", params: [runIds] };
}
