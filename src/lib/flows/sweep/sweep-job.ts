import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import type { Job, JobGauge } from "../jobs/job.ts";
import { sweep, SWEEP_BOUNDS, type SweepContext, type SweepReport } from "./sweep.ts";

const cursorSchema = z.object({
  /** When the last whole round began, and when the one began that goes on. */
  swept_at_ms: z.number().default(0),
  round_at_ms: z.number().nullable().default(null),
  complete_up_to: z.record(z.string(), z.string()).default({}),
  backlog: z
    .object({ objects: z.number(), bytes: z.number(), oldest_at_ms: z.number().nullable() })
    .default({ objects: 0, bytes: 0, oldest_at_ms: null }),
  stopped_at: z.object({ tenant_id: z.string(), key: z.string() }).nullable().default(null),
});

/** What a round found unapplied, in all of its runs. */
type Backlog = z.infer<typeof cursorSchema>["backlog"];

function backlogWith({ objects, bytes, oldest_at_ms: oldest }: Backlog, report: SweepReport): Backlog {
  const times = [oldest, report.oldestAtMs].filter((time) => time !== null);
  return {
    objects: objects + report.incompleteCount,
    bytes: bytes + report.incompleteBytes,
    oldest_at_ms: times.length === 0 ? null : Math.min(...times),
  };
}

function backlogGauges({ objects, bytes, oldest_at_ms: oldest }: Backlog, nowMs: number): readonly JobGauge[] {
  return [
    { name: "wal_backlog_objects", labels: {}, value: objects },
    { name: "wal_backlog_bytes", labels: {}, value: bytes },
    { name: "wal_backlog_oldest_age_seconds", labels: {}, value: oldest === null ? 0 : (nowMs - oldest) / 1000 },
  ];
}

/** The sweeper: sends again what the queue lost, and measures what is not applied. */
export const SWEEP_JOB: Job<SweepContext, SweepReport> = {
  name: "sweep",
  summary: "sends again what a queue lost: ranges of WAL objects that are not in the ledger",
  cron: "*/5 * * * *",
  timeMsMax: 2 * MINUTE_MS,
  async run(context, { cursor, budget, isDryRun }) {
    const before = cursorSchema.parse(cursor);
    const roundAtMs = before.round_at_ms ?? context.clock();
    const options = { sweptAtMs: before.swept_at_ms, ...SWEEP_BOUNDS, isSpent: () => budget.isSpent(), isDryRun };
    const place = before.stopped_at;
    const { cursor: after, report } = await sweep(context, options, {
      completeUpTo: before.complete_up_to,
      stoppedAt: place === null ? null : { tenantId: place.tenant_id, key: place.key },
    });
    const { completeUpTo, stoppedAt } = after;
    const backlog = backlogWith(before.backlog, report);
    return {
      report,
      outcome: report.failedCount > 0 ? "failed" : stoppedAt === null ? "done" : "partial",
      cursor:
        stoppedAt === null
          ? { swept_at_ms: roundAtMs, complete_up_to: completeUpTo }
          : {
              swept_at_ms: before.swept_at_ms,
              round_at_ms: roundAtMs,
              complete_up_to: completeUpTo,
              stopped_at: { tenant_id: stoppedAt.tenantId, key: stoppedAt.key },
              backlog,
            },
      // Half a round has seen half of the tenants.
      gauges: stoppedAt === null ? backlogGauges(backlog, context.clock()) : [],
    };
  },
};
