import { z } from "zod";

/** How a run stands. died: it has no end, and its time is over. */
const runStateSchema = z.enum(["running", "done", "partial", "failed", "died"]);

/** A run of a job, without its report. */
export const jobRunSchema = z.object({
  run_id: z.string(),
  job: z.string(),
  started_by: z.enum(["cron", "hand"]),
  dry_run: z.boolean(),
  state: runStateSchema.describe("partial: the next run goes on from its cursor"),
  error_code: z.string().nullable().describe("of a failed run: items_failed, internal, report_too_large, lease_lost"),
  scheduled_at: z.iso.datetime(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  duration_ms: z.number().nullable(),
});
export type JobRunEntry = z.infer<typeof jobRunSchema>;

/** A run with what it found and did. */
export const jobRunReportSchema = jobRunSchema.extend({
  report: z.unknown().describe("counts, ids and codes, as the job defines them"),
  report_key: z.string().nullable().describe("the same in R2; a dry run has none"),
});
export type JobRunReport = z.infer<typeof jobRunReportSchema>;

/** A job, when it runs, and how it last ended. */
export const jobSchema = z.object({
  name: z.string(),
  summary: z.string(),
  cron: z.string().nullable().describe("null: started by hand alone"),
  when: z.string().describe("the cron line in words, UTC"),
  budget_seconds: z.number(),
  enabled: z.boolean(),
  last_run: jobRunSchema.nullable().describe("dry runs left out"),
  last_done_at: z.iso.datetime().nullable(),
});
export type JobEntry = z.infer<typeof jobSchema>;

export const jobListSchema = z.object({ jobs: z.array(jobSchema) });

export const jobRunListSchema = z.object({ runs: z.array(jobRunSchema) });
