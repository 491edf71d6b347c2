/** The table of jobs: what the cron triggers start, in this order, and what an operator may start by hand. docs/cron.md describes it. */
import { BACKUP_JOB } from "../lib/flows/backups/backup-job.ts";
import { RESTORE_JOB } from "../lib/flows/backups/restore-job.ts";
import { AUDIT_JOB } from "../lib/flows/audit/audit-job.ts";
import { DICTIONARY_JOB } from "../lib/flows/dictionaries/dictionary-job.ts";
import { ISOLATION_CANARY_JOB } from "../lib/flows/isolation/canary-job.ts";
import { JOB_HISTORY_JOB } from "../lib/flows/jobs/history-job.ts";
import type { Job } from "../lib/flows/jobs/job.ts";
import { MAINTENANCE_JOB } from "../lib/flows/jobs/maintenance-job.ts";
import { MEASURE_JOB } from "../lib/flows/jobs/measure-job.ts";
import { runJob, type RunRequest } from "../lib/flows/jobs/run-job.ts";
import { DRIFT_PROBE_JOB } from "../lib/flows/models/drift-probe-job.ts";
import { REEMBED_JOB } from "../lib/flows/models/reembed-job.ts";
import { ORPHAN_CHECK_JOB } from "../lib/flows/orphans/orphan-check-job.ts";
import { ORPHAN_REPAIR_JOB } from "../lib/flows/orphans/orphan-repair-job.ts";
import { PACK_JOB } from "../lib/flows/packs/pack-job.ts";
import { PROFILE_OUTBOX_JOB } from "../lib/flows/profiles/outbox-job.ts";
import { PROFILE_WATCH_JOB } from "../lib/flows/profiles/watch-job.ts";
import { QUARANTINE_RETENTION_JOB } from "../lib/flows/quarantine/retention-job.ts";
import { RETENTION_JOB } from "../lib/flows/retention/retention-job.ts";
import { RETURN_DUPLICATES_JOB } from "../lib/flows/reentry/return-duplicates-job.ts";
import { RECALL_PROBE_JOB } from "../lib/flows/search-recall/recall-probe-job.ts";
import { SNAPSHOT_JOB } from "../lib/flows/snapshots/snapshot-job.ts";
import { SYNC_BACK_JOB } from "../lib/flows/sync/sync-back-job.ts";
import { SYNC_JOB, SYNC_REMOVALS_JOB } from "../lib/flows/sync/sync-job.ts";
import { SWEEP_JOB } from "../lib/flows/sweep/sweep-job.ts";
import type { Context } from "./context.ts";
import { thrownFields } from "./thrown-fields.ts";
import { currentTrace, inTrace } from "./trace-scope.ts";

export const JOBS: readonly Job<Context, unknown>[] = [
  SWEEP_JOB,
  PROFILE_OUTBOX_JOB,
  PROFILE_WATCH_JOB,
  MEASURE_JOB,
  REEMBED_JOB,
  RETURN_DUPLICATES_JOB,
  ISOLATION_CANARY_JOB,
  SNAPSHOT_JOB,
  RECALL_PROBE_JOB,
  ORPHAN_CHECK_JOB,
  PACK_JOB,
  SYNC_JOB,
  BACKUP_JOB,
  QUARANTINE_RETENTION_JOB,
  RETENTION_JOB,
  JOB_HISTORY_JOB,
  MAINTENANCE_JOB,
  AUDIT_JOB,
  DRIFT_PROBE_JOB,
  DICTIONARY_JOB,
  SYNC_BACK_JOB,
  SYNC_REMOVALS_JOB,
  ORPHAN_REPAIR_JOB,
  RESTORE_JOB,
];

/** A run of a job that is logged and counted, in the trace of the request that started it, or one of its own. Dry runs are logged only. */
export function runNotedJob(
  context: Context,
  job: Job<Context, unknown>,
  request: Omit<RunRequest, "onThrown" | "onMeasured">,
): ReturnType<typeof runJob> {
  return inTrace(currentTrace()?.traceId, () => runTracedJob(context, job, request));
}

async function runTracedJob(
  context: Context,
  job: Job<Context, unknown>,
  request: Omit<RunRequest, "onThrown" | "onMeasured">,
): ReturnType<typeof runJob> {
  const startedMs = context.clock();
  const onThrown = (thrown: unknown): void =>
    context.log.error("job_threw", { job_name: job.name, ...thrownFields(thrown) });
  const onMeasured: RunRequest["onMeasured"] = (gauges) => {
    for (const { name, labels, value } of gauges) context.metrics.set(name, labels, value);
  };
  const result = await runJob(context, job, { ...request, onThrown, onMeasured });
  const durationMs = context.clock() - startedMs;
  const outcome = result.ok ? result.value.state : result.error.code;
  const { startedBy, isDryRun } = request;
  const code = result.ok ? result.value.error_code : null;
  const line = { job: job.name, started_by: startedBy, dry_run: isDryRun, outcome, code, duration_ms: durationMs };
  context.log[isExpected(outcome) ? "info" : "error"]("job_run", line);
  if (isDryRun) return result;
  context.metrics.count("job_runs_total", { job_name: job.name, outcome });
  if (result.ok) context.metrics.observe("job_duration_seconds", { job_name: job.name }, durationMs / 1000);
  if (outcome === "done")
    context.metrics.note("job_last_success_timestamp_seconds", { job_name: job.name }, context.clock() / 1000);
  return result;
}

/** Outcomes of which nobody has to be told. */
function isExpected(outcome: string): boolean {
  return ["done", "partial", "lease_held", "already_run"].includes(outcome);
}
