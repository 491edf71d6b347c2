import { MINUTE_MS } from "../../lib/base/durations.ts";
import { jobRunReportSchema, type JobRunReport } from "../../lib/contract/job.ts";
import type { ApiClient } from "../api-client.ts";

/** The service ends a run by hand after a minute and what its last page takes. */
const RUN_TIMEOUT_MS = 5 * MINUTE_MS;

export const jobPath = (job: string, part: string): string => `/v1/admin/jobs/${encodeURIComponent(job)}/${part}`;

/** One run of a job, by hand. */
export function askForRun(
  api: ApiClient,
  job: string,
  { isDryRun, parameters }: { readonly isDryRun: boolean; readonly parameters?: Readonly<Record<string, string>> },
): Promise<JobRunReport> {
  const json = { dry_run: isDryRun, ...(parameters === undefined ? {} : { parameters }) };
  return api.json(jobRunReportSchema, { method: "POST", path: jobPath(job, "run"), json, timeoutMs: RUN_TIMEOUT_MS });
}
