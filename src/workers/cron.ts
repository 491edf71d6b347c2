/** What a cron trigger starts. A trigger may fire twice or not at all: jobs carry their own lease and cursor. */
import { CRON_LINES } from "../lib/flows/jobs/job.ts";
import type { Context } from "./context.ts";
import { JOBS, runNotedJob } from "./jobs.ts";
import { thrownFields } from "./thrown-fields.ts";

/** An invocation by a line that the schedule does not have: the deployed wrangler.toml is of another version than the code. */
export class UnknownCronError extends Error {
  override readonly name = "UnknownCronError";
}

/**
 * Runs the jobs of one trigger, one after the other; a failing job does not keep the next one from running. Throws `UnknownCronError`, so that the
 * invocation shows as failed.
 */
export async function runCron(cron: string, scheduledAtMs: number, context: Context): Promise<void> {
  if (!(cron in CRON_LINES)) {
    context.log.error("cron_unknown", { cron });
    context.metrics.count("cron_unknown_total", {});
    throw new UnknownCronError("the schedule has no such cron line");
  }
  for (const job of JOBS.filter((each) => each.cron === cron)) {
    if (job.isEnabled?.(context) === false) continue;
    try {
      await runNotedJob(context, job, { startedBy: "cron", scheduledAtMs, isDryRun: false });
    } catch (thrown) {
      // The frame itself: jobs are caught inside it.
      context.log.error("job_frame_threw", { job_name: job.name, ...thrownFields(thrown) });
      context.metrics.count("job_runs_total", { job_name: job.name, outcome: "internal" });
    }
  }
}
