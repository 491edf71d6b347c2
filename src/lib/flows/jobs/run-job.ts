import type { R2Bucket } from "@cloudflare/workers-types";
import { utf8Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { JobRunReport } from "../../contract/job.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  checkpointRun,
  cursorRowSchema,
  finishRun,
  releaseUnusedLease,
  runRowSchema,
  selectCursor,
  startedRowSchema,
  startRun,
  takeLease,
  type StartedRun,
} from "../../db/queries/jobs.ts";
import { problemOfSql } from "../problem-of.ts";
import { dryContext } from "./dry-context.ts";
import type { Job, JobContext, JobCursor, JobGauge, JobOutcome, JobRun } from "./job.ts";
import { runReport } from "./run-entry.ts";
import { TimeBudget } from "./time-budget.ts";

/** What the frame itself uses. */
export interface FrameContext extends JobContext {
  readonly bucket: R2Bucket;
  readonly newUlid: () => string;
}

export interface RunRequest {
  readonly startedBy: "cron" | "hand";
  readonly scheduledAtMs: number;
  readonly isDryRun: boolean;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Where the run has less time than its job may take, milliseconds. */
  readonly timeMsMax?: number;
  /** Is told what a job threw. Its message may quote input: only its kind and place may be logged. */
  readonly onThrown: (thrown: unknown) => void;
  /** Is told what a run measured, once it has ended and was not a dry one. */
  readonly onMeasured?: (gauges: readonly JobGauge[]) => void;
}

/** Why a run did not take place, or has no row of its own. None of them is a failure of the job. */
export interface RunRefusal {
  readonly code: "lease_held" | "already_run" | "lease_lost";
}

/**
 * A lease lasts so much longer than the budget of its run, seconds: from the last look at the budget a page may take some calls of twenty
 * seconds each. A run that died keeps the next one waiting for no more than its budget and this.
 */
const LEASE_GRACE_SECONDS = 120;
/** Bytes of a report as JSON: it is a row's column. What is larger belongs into an object of its own. */
const REPORT_BYTES_MAX = 256 * 1024;

const SYSTEM = { tenantId: "", userId: "" } as const;

/**
 * One run of a job: lease, row in `job_runs`, budget, report in R2 and in the row, cursor. The same tick again, or a second holder, changes
 * nothing. A dry run takes no lease and leaves its row, nothing else.
 */
export async function runJob<C extends FrameContext, R>(
  context: C,
  job: Job<C, R>,
  request: RunRequest,
): Promise<Result<JobRunReport, Problem | RunRefusal>> {
  const timeMsMax = Math.min(request.timeMsMax ?? job.timeMsMax, job.timeMsMax);
  const run: StartedRun = {
    runId: runIdOf(job.name, request, context.newUlid),
    jobName: job.name,
    holder: context.newUlid(),
    startedBy: request.startedBy,
    isDryRun: request.isDryRun,
    scheduledAt: new Date(request.scheduledAtMs).toISOString(),
    leaseSeconds: Math.ceil(timeMsMax / 1000) + LEASE_GRACE_SECONDS,
  };
  const begun = await begin(context, run);
  if (!begun.ok) return begun;
  const budget = new TimeBudget(context.clock, timeMsMax);
  const { onThrown, parameters = {} } = request;
  const ended = await perform(context, job, { ...begun.value, run, budget, onThrown, parameters });
  const finished = await finish(context, run, { ...ended, startedAt: begun.value.startedAt });
  if (finished.ok && !run.isDryRun) request.onMeasured?.(ended.gauges);
  return finished;
}

/** A tick has one id, so that firing it twice is one run; what is started by hand is a run of its own each time. */
function runIdOf(jobName: string, { startedBy, scheduledAtMs, isDryRun }: RunRequest, newUlid: () => string): string {
  if (startedBy === "hand" || isDryRun) return `${jobName}-${newUlid()}`;
  return `${jobName}-${new Date(scheduledAtMs).toISOString()}`;
}

interface Begun {
  readonly cursor: JobCursor;
  readonly startedAt: Date;
}

async function begin(context: FrameContext, run: StartedRun): Promise<Result<Begun, Problem | RunRefusal>> {
  const { jobName, holder, leaseSeconds, isDryRun } = run;
  const rows = await context.sql.transaction(
    SYSTEM,
    isDryRun
      ? [selectCursor(jobName), startRun(run)]
      : [takeLease(jobName, holder, leaseSeconds), startRun(run), releaseUnusedLease(run)],
  );
  if (!rows.ok) return err(problemOfSql(rows.error));
  const [[lease], [started]] = [rows.value[0] ?? [], rows.value[1] ?? []];
  if (lease === undefined && !isDryRun) return err({ code: "lease_held" });
  if (started === undefined) return err({ code: "already_run" });
  const cursor = lease === undefined ? {} : cursorRowSchema.parse(lease).cursor;
  return ok({ cursor, startedAt: startedRowSchema.parse(started).started_at });
}

interface Ended {
  readonly outcome: JobOutcome<unknown>["outcome"];
  readonly errorCode: string;
  readonly report: unknown;
  /** null: the run threw, and the next one begins where it began. */
  readonly cursor: JobCursor | null;
  readonly gauges: readonly JobGauge[];
}

async function perform<C extends FrameContext, R>(
  context: C,
  job: Job<C, R>,
  {
    cursor,
    run,
    budget,
    onThrown,
    parameters,
  }: Begun & Pick<RunRequest, "onThrown"> & Pick<JobRun, "parameters"> & { run: StartedRun; budget: TimeBudget },
): Promise<Ended> {
  const checkpoint = async (reached: JobCursor): Promise<boolean> => {
    if (run.isDryRun) return true;
    const kept = await context.sql.transaction(SYSTEM, [checkpointRun({ ...run, cursor: reached })]);
    return kept.ok && kept.value[0]?.[0] !== undefined;
  };
  try {
    const usable = run.isDryRun ? dryContext(context) : context;
    const {
      report,
      outcome,
      cursor: next,
      gauges = [],
    } = await job.run(usable, {
      cursor,
      budget,
      isDryRun: run.isDryRun,
      parameters,
      checkpoint,
    });
    if (utf8Bytes(JSON.stringify(report)).length > REPORT_BYTES_MAX)
      return { outcome: "failed", errorCode: "report_too_large", report: {}, cursor: next, gauges };
    return { outcome, errorCode: outcome === "failed" ? "items_failed" : "", report, cursor: next, gauges };
  } catch (thrown) {
    onThrown(thrown);
    return { outcome: "failed", errorCode: "internal", report: {}, cursor: null, gauges: [] };
  }
}

async function finish(
  context: FrameContext,
  run: StartedRun,
  ended: Ended & { readonly startedAt: Date },
): Promise<Result<JobRunReport, Problem | RunRefusal>> {
  const reportKey = run.isDryRun ? "" : await writeReport(context, run, ended);
  const rows = await context.sql.transaction(SYSTEM, [finishRun({ ...run, ...ended, reportKey })]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const row = rows.value[0]?.[0];
  return row === undefined ? err({ code: "lease_lost" }) : ok(runReport(runRowSchema.parse(row)));
}

/** Writes the report to R2 and returns its key; '' when it could not be written: the row has it all the same. */
async function writeReport(
  context: Pick<FrameContext, "bucket">,
  { runId, jobName, startedBy, scheduledAt }: StartedRun,
  { startedAt, outcome, errorCode, report }: Ended & { readonly startedAt: Date },
): Promise<string> {
  const key = `job_reports/${jobName}/${startedAt.toISOString().replaceAll(/[-:.]/g, "")}.json`;
  const facts = { run_id: runId, job: jobName, started_by: startedBy, scheduled_at: scheduledAt };
  const ends = {
    started_at: startedAt.toISOString(),
    outcome,
    error_code: errorCode === "" ? null : errorCode,
    report,
  };
  try {
    await context.bucket.put(key, JSON.stringify({ schema_version: 1, ...facts, ...ends }, null, 2), {
      httpMetadata: { contentType: "application/json" },
    });
    return key;
  } catch {
    return "";
  }
}
