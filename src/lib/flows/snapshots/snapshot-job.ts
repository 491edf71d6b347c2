import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import type { Job, JobContext, JobGauge } from "../jobs/job.ts";
import { TimeBudget } from "../jobs/time-budget.ts";
import { performRemovals, type RemovalTally } from "./perform-removals.ts";
import { pruneSnapshots } from "./prune-snapshots.ts";
import { SNAPSHOT_KINDS } from "./snapshot-keys.ts";
import type { LiveSnapshot } from "./snapshot-window.ts";
import { snapshotTimeMs } from "./snapshot-policy.ts";
import { takeSnapshot, type TakeContext, type TakenSnapshot } from "./take-snapshot.ts";

interface SnapshotContext extends JobContext, TakeContext {}

interface SnapshotReport {
  readonly taken: TakenSnapshot;
  readonly prunedCount: number;
  /** Objects that went because no snapshot holds them any more; of a dry run those that would. */
  readonly removedCount: number;
  /** Objects that were removed and wait for a snapshot to go, as far as this walk over them has come. */
  readonly heldCount: number;
  readonly heldBytes: number;
}

/** Time for listing, milliseconds: the rest of the budget is for what snapshots no longer hold. */
const TAKE_MS_MAX = 110_000;

const cursorSchema = z.object({
  after: z.string().default(""),
  held_count: z.int().default(0),
  held_bytes: z.int().default(0),
});

/**
 * Takes the snapshots that are due, prunes those beyond the policy, and performs removals that none holds any more. What is due follows from the manifests
 * in the bucket; the cursor is only the place in the walk over removals.
 */
export const SNAPSHOT_JOB: Job<SnapshotContext, SnapshotReport> = {
  name: "snapshot",
  summary: "writes down which objects there are, hourly, daily and weekly, and removes what no snapshot holds any more",
  cron: "0 * * * *",
  timeMsMax: 3 * MINUTE_MS,
  async run(context, { cursor, budget, isDryRun }) {
    const takeBudget = new TimeBudget(context.clock, TAKE_MS_MAX);
    const isSpent = (): boolean => budget.isSpent();
    const taken = await takeSnapshot(context, { isSpent: () => isSpent() || takeBudget.isSpent(), isDryRun });
    const pruned = await pruneSnapshots(context.bucket, { isSpent, isDryRun });
    const { removedCount, isDone, ...tally } = await performRemovals(context.bucket, tallyOf(cursor), {
      isSpent,
      isDryRun,
    });
    const { heldCount, heldBytes } = tally;
    const report = { taken, prunedCount: pruned.prunedCount, removedCount, heldCount, heldBytes };
    const isComplete = taken.state !== "listing" && pruned.isDone && isDone;
    return {
      report,
      outcome: taken.state === "broken" ? "failed" : isComplete ? "done" : "partial",
      cursor: isDone ? {} : { after: tally.after, held_count: heldCount, held_bytes: heldBytes },
      gauges: [...newestGauges(pruned.left), ...(isDone ? heldGauges(tally) : [])],
    };
  },
};

function tallyOf(cursor: unknown): RemovalTally {
  const { after, held_count: heldCount, held_bytes: heldBytes } = cursorSchema.parse(cursor);
  return { after, heldCount, heldBytes };
}

function newestGauges(live: readonly LiveSnapshot[]): readonly JobGauge[] {
  return SNAPSHOT_KINDS.flatMap((kind) => {
    const ids = live.filter((each) => each.kind === kind).map(({ id }) => id);
    const newest = ids.toSorted().at(-1);
    if (newest === undefined) return [];
    return [
      { name: "snapshot_newest_timestamp_seconds" as const, labels: { kind }, value: snapshotTimeMs(newest) / 1000 },
    ];
  });
}

function heldGauges({ heldCount, heldBytes }: RemovalTally): readonly JobGauge[] {
  return [
    { name: "snapshot_held_objects", labels: {}, value: heldCount },
    { name: "snapshot_held_bytes", labels: {}, value: heldBytes },
  ];
}
