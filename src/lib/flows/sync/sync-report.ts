import type { SyncErrorCode } from "./sync-error.ts";
import type { SourceRefusal } from "./source-identity.ts";

/** Objects that could not be dealt with, each for its own reason. Keys that name a user are cut. */
export interface Failures {
  failedCount: number;
  /** At most `FAILURES_MAX`. */
  readonly failures: { readonly key: string; readonly code: SyncErrorCode }[];
}

/** What a run did, or a dry one would do: counts, codes and keys. */
export interface SyncReport extends Failures {
  lookedAtCount: number;
  copiedCount: number;
  copiedBytes: number;
  /** Removed from the remote. */
  removedCount: number;
  /** Records of removals whose objects the remote still had: they go with the next round. */
  waitingCount: number;
  /** Missing here without a record, and more of them than one round may remove. */
  withheldCount: number;
  /** In the remote's bucket, and not copied by us: they are left alone. */
  foreignCount: number;
  /** What ended the run before its time. */
  stoppedBy: SyncErrorCode | SourceRefusal["code"] | "sync_not_configured" | null;
}

const FAILURES_MAX = 50;
/** Keys under these have parts that name a user and a session. */
const NAMING_USERS = /^((?:removals\/)?(?:segments|summaries|sessions)\/[^/]*\/).*/;

export function emptySyncReport(): SyncReport {
  return {
    lookedAtCount: 0,
    copiedCount: 0,
    copiedBytes: 0,
    removedCount: 0,
    waitingCount: 0,
    withheldCount: 0,
    foreignCount: 0,
    failedCount: 0,
    failures: [],
    stoppedBy: null,
  };
}

export function noteFailure(report: Failures, key: string, code: SyncErrorCode): void {
  report.failedCount += 1;
  if (report.failures.length < FAILURES_MAX) report.failures.push({ key: key.replace(NAMING_USERS, "$1…"), code });
}
