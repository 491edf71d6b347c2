import { MINUTE_MS } from "../../base/durations.ts";
import { deleteRuns, oldRunRowSchema, selectOldRuns } from "../../db/queries/jobs.ts";
import type { Job } from "./job.ts";
import type { FrameContext } from "./run-job.ts";

interface HistoryReport {
  readonly removedCount: number;
}

/** Days that a run and its report are kept: five weeks show every weekly habit. */
const KEPT_DAYS = 35;
/** Runs of one page: one delete call of R2 takes 1,000 keys. */
const PAGE_ROWS_MAX = 500;
/** Runs removed in one night: 1,500 come in a day. */
const REMOVED_MAX = 20_000;

/** Removes runs of jobs that are older than five weeks, their reports in R2 first, so that none is left without its row. */
export const JOB_HISTORY_JOB: Job<FrameContext, HistoryReport> = {
  name: "job_history",
  summary: "removes runs of jobs, and their reports, that are older than five weeks",
  cron: "0 3 * * *",
  timeMsMax: 2 * MINUTE_MS,
  async run({ sql, bucket }, { budget, isDryRun }) {
    const system = { tenantId: "", userId: "" };
    let removedCount = 0;
    while (removedCount < REMOVED_MAX && !budget.isSpent()) {
      const rowsMax = isDryRun ? REMOVED_MAX : PAGE_ROWS_MAX;
      const found = await sql.transaction(system, [selectOldRuns(KEPT_DAYS, rowsMax)], { readOnly: true });
      if (!found.ok) return { report: { removedCount }, outcome: "failed", cursor: {} };
      const old = (found.value[0] ?? []).map((row) => oldRunRowSchema.parse(row));
      if (old.length > 0 && !isDryRun) {
        const keys = old.map((run) => run.report_key).filter((key) => key !== "");
        if (keys.length > 0) await bucket.delete(keys);
        const deleted = await sql.transaction(system, [deleteRuns(old.map((run) => run.run_id))]);
        if (!deleted.ok) return { report: { removedCount }, outcome: "failed", cursor: {} };
      }
      removedCount += old.length;
      if (isDryRun || old.length < rowsMax) return { report: { removedCount }, outcome: "done", cursor: {} };
    }
    return { report: { removedCount }, outcome: "partial", cursor: {} };
  },
};
