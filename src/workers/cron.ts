/** Which job a cron trigger starts. A trigger may fire twice or not at all: jobs carry their own lease and cursor. */
import { err } from "../lib/base/result.ts";
import { ISOLATION_CANARY_JOB } from "../lib/flows/isolation/canary-job.ts";
import { PROFILE_OUTBOX_JOB } from "../lib/flows/profiles/outbox-job.ts";
import { PROFILE_WATCH_JOB } from "../lib/flows/profiles/watch-job.ts";
import { QUARANTINE_RETENTION_JOB } from "../lib/flows/quarantine/retention-job.ts";
import { RETURN_DUPLICATES_JOB } from "../lib/flows/return-duplicates-job.ts";
import { runJob, type Job } from "../lib/flows/run-job.ts";
import { SWEEP_JOB } from "../lib/flows/run-sweep-job.ts";
import type { Context } from "./context.ts";

/** Keys are the cron lines of wrangler.toml. */
export const JOBS_BY_CRON: ReadonlyMap<string, readonly Job<Context, unknown>[]> = new Map([
  ["*/5 * * * *", [SWEEP_JOB, PROFILE_OUTBOX_JOB, PROFILE_WATCH_JOB]],
  ["0 * * * *", [RETURN_DUPLICATES_JOB, ISOLATION_CANARY_JOB]],
  ["0 */6 * * *", []],
  ["0 3 * * *", [QUARANTINE_RETENTION_JOB]],
]);

/** Runs the jobs of one trigger, one after the other; a failing job does not keep the next one from running. */
export async function runCron(cron: string, scheduledAtMs: number, context: Context): Promise<void> {
  const jobs = JOBS_BY_CRON.get(cron);
  if (jobs === undefined) {
    context.log.error("cron_unknown", { cron });
    return;
  }
  for (const job of jobs) {
    if (job.isEnabled?.(context) === false) continue;
    const startedMs = context.clock();
    const result = await runJob(context, job, { scheduledAtMs, holder: context.newUlid() }).catch(() =>
      err({ code: "internal" } as const),
    );
    const outcome = result.ok ? "done" : result.error.code;
    const line = { job: job.name, cron, outcome, duration_ms: context.clock() - startedMs };
    if (result.ok || outcome === "conflict") context.log.info("job_run", line);
    else context.log.error("job_run", line);
    context.metrics.count("job_runs_total", { job: job.name, outcome });
  }
}
