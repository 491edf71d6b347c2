import { MINUTE_MS } from "../../base/durations.ts";
import type { Job, JobGauge } from "../jobs/job.ts";
import { walkTenants } from "../jobs/walk-tenants.ts";
import { removeUnneeded } from "./remove-dictionaries.ts";
import { type TrainingContext, type TrainingOutcome, trainTenant } from "./train-tenant.ts";

interface DictionaryReport {
  tenantCount: number;
  /** By what came of it. */
  readonly outcomes: Partial<Record<TrainingOutcome["outcome"], number>>;
  /** Held-out bytes of the trainings of this run: under the new dictionary of each, and under none. */
  measuredBytes: number;
  plainBytes: number;
  /** Dictionaries that no pack needs any more. */
  removedCount: number;
  /** By code. */
  readonly failures: Record<string, number>;
}

/** Trainings of one run: 10 to 25 s of CPU each, of the 300 s that an invocation has. The other tenants come the next night. */
const TRAININGS_MAX = 6;

/**
 * A dictionary for each tenant, of its own texts and for its own packs alone, trained anew when enough has come. It is used from the moment it wins on
 * records that it was not trained on; the former one stays as long as packs need it.
 */
export const DICTIONARY_JOB: Job<TrainingContext, DictionaryReport> = {
  name: "dictionary",
  summary: "trains a compression dictionary for tenants with enough new documents, and uses it where it wins",
  cron: "30 4 * * *",
  timeMsMax: 13 * MINUTE_MS,
  async run(context, run) {
    const report: DictionaryReport = {
      tenantCount: 0,
      outcomes: {},
      measuredBytes: 0,
      plainBytes: 0,
      removedCount: 0,
      failures: {},
    };
    let trainingCount = 0;
    const walk = { prefix: "wal/", cursor: run.cursor } as const;
    const { isDone, cursor } = await walkTenants(context.bucket, walk, async (tenantId) => {
      if (trainingCount >= TRAININGS_MAX || run.budget.isSpent()) return false;
      report.tenantCount += 1;
      const trained = await trainTenant(context, tenantId, { isDryRun: run.isDryRun });
      if (trained.ok) {
        if ("plainBytes" in trained.value) trainingCount += 1;
        noteOutcome(report, trained.value);
      } else noteFailure(report, trained.error.code);
      const removed = await removeUnneeded(context, tenantId, run.isDryRun);
      if (removed.ok) report.removedCount += removed.value;
      else noteFailure(report, removed.error.code);
      return true;
    });
    const hasFailed = Object.keys(report.failures).length > 0;
    return { report, outcome: hasFailed ? "failed" : isDone ? "done" : "partial", cursor, gauges: savedGauge(report) };
  },
};

function noteOutcome(report: DictionaryReport, trained: TrainingOutcome): void {
  report.outcomes[trained.outcome] = (report.outcomes[trained.outcome] ?? 0) + 1;
  if (!("plainBytes" in trained)) return;
  report.measuredBytes += trained.measuredBytes;
  report.plainBytes += trained.plainBytes;
}

function noteFailure({ failures }: DictionaryReport, code: string): void {
  failures[code] = (failures[code] ?? 0) + 1;
}

/** Nothing where nothing was trained: what was measured before stands. */
function savedGauge({ measuredBytes, plainBytes }: DictionaryReport): readonly JobGauge[] {
  if (plainBytes === 0) return [];
  return [{ name: "dictionary_saved_fraction", labels: {}, value: 1 - measuredBytes / plainBytes }];
}
