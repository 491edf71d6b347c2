import type { JobRunEntry, JobRunReport } from "../../contract/job.ts";
import type { RunRow } from "../../db/queries/jobs.ts";

/** A run as the wire and its report in R2 show it. */
export function runReport(row: RunRow): JobRunReport {
  return { ...runEntry(row), report: row.report, report_key: row.report_key === "" ? null : row.report_key };
}

/** The same without its report. */
export function runEntry(row: RunRow): JobRunEntry {
  const finishedAt = row.finished_at;
  return {
    run_id: row.run_id,
    job: row.job_name,
    started_by: row.started_by,
    dry_run: row.dry_run,
    state: row.state,
    error_code: row.error_code === "" ? null : row.error_code,
    scheduled_at: row.scheduled_at.toISOString(),
    started_at: row.started_at.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    duration_ms: finishedAt === null ? null : finishedAt.getTime() - row.started_at.getTime(),
  };
}
