import { MINUTE_MS } from "../../base/durations.ts";
import type { Job } from "../jobs/job.ts";
import { runSync } from "./run-sync.ts";
import type { SyncContext } from "./sync-context.ts";
import type { SyncReport } from "./sync-report.ts";

const isEnabled = ({ remote }: SyncContext): boolean => remote !== undefined;

/** Keeps a second copy of the bucket at any S3-compatible server. docs/sync.md. */
export const SYNC_JOB: Job<SyncContext, SyncReport> = {
  name: "sync",
  summary: "copies new and changed objects to a second remote, verified, and removes there what was removed here",
  cron: "30 */6 * * *",
  timeMsMax: 14 * MINUTE_MS,
  isEnabled,
  run: (context, run) => runSync(context, run, { isConfirmed: false }),
};

/** The same round by somebody who has looked at what `sync` withholds. */
export const SYNC_REMOVALS_JOB: Job<SyncContext, SyncReport> = {
  name: "sync_removals",
  summary: "a round of sync that also removes at the second remote what is missing here without a record",
  cron: null,
  timeMsMax: 14 * MINUTE_MS,
  isEnabled,
  run: (context, run) => runSync(context, run, { isConfirmed: true }),
};
