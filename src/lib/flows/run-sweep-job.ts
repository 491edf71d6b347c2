import { z } from "zod";
import type { Job } from "./run-job.ts";
import { sweep, SWEEP_BOUNDS, type SweepContext, type SweepReport } from "./sweep.ts";

const cursorSchema = z.object({
  swept_at_ms: z.number().default(0),
  complete_up_to: z.record(z.string(), z.string()).default({}),
});

/** The sweeper: sends again what the queue lost. */
export const SWEEP_JOB: Job<SweepContext, Omit<SweepReport, "cursor">> = {
  name: "sweep",
  async run(context, cursor) {
    const before = cursorSchema.parse(cursor);
    const sweptAtMs = context.clock();
    const options = { sweptAtMs: before.swept_at_ms, ...SWEEP_BOUNDS };
    const { cursor: completeUpTo, ...report } = await sweep(context, options, before.complete_up_to);
    return {
      report,
      outcome: report.failedCount > 0 ? "failed" : report.done ? "done" : "partial",
      cursor: { swept_at_ms: sweptAtMs, complete_up_to: completeUpTo },
    };
  },
};
