import type { Result } from "../../../src/lib/base/result.ts";
import type { JobRunReport } from "../../../src/lib/contract/job.ts";
import type { Problem } from "../../../src/lib/contract/problem.ts";
import type { Job, JobRun } from "../../../src/lib/flows/jobs/job.ts";
import { runJob, type FrameContext, type RunRefusal, type RunRequest } from "../../../src/lib/flows/jobs/run-job.ts";
import { TimeBudget } from "../../../src/lib/flows/jobs/time-budget.ts";

let ticks = 0;

/** A run of a job in its frame, as a tick of the schedule starts it: each call is another tick. What the job throws, the test throws. */
export async function runTicked<C extends FrameContext>(
  context: C,
  job: Job<C, unknown>,
  more: Partial<RunRequest> = {},
): Promise<Result<JobRunReport, Problem | RunRefusal>> {
  const thrown: unknown[] = [];
  const ran = await runJob(context, job, {
    startedBy: "cron",
    scheduledAtMs: Date.UTC(2026, 0, 1) + (ticks += 1),
    isDryRun: false,
    onThrown: (each) => void thrown.push(each),
    ...more,
  });
  if (thrown.length > 0) throw thrown[0];
  return ran;
}

/** What a first run without a frame is handed: time enough, and nothing to go on from. */
export const FIRST_RUN: JobRun = {
  cursor: {},
  budget: new TimeBudget(() => 0, 1),
  isDryRun: false,
  parameters: {},
  checkpoint: async () => true,
};
