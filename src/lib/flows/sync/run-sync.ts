import { z } from "zod";
import { ok } from "../../base/result.ts";
import type { JobGauge, JobOutcome, JobRun } from "../jobs/job.ts";
import { copyAlone, type CopyRound, visitToCopy } from "./copy-round.ts";
import { type PartsCopy, partsCopySchema } from "./copy-in-parts.ts";
import { mayRemoveUnrecorded, visitToRemove } from "./removal-round.ts";
import { RemovalReasons } from "./removal-reasons.ts";
import { claimRemote } from "./source-identity.ts";
import type { Ends, SyncContext } from "./sync-context.ts";
import { caught } from "./sync-error.ts";
import { emptySyncReport, type SyncReport } from "./sync-report.ts";
import { type PairVisitor, type Walk, walkPairs } from "./walk-pairs.ts";

const countSchema = z.int().min(0).default(0);
const cursorSchema = z.object({
  phase: z.enum(["copy", "remove"]).default("copy"),
  after: z.string().default(""),
  remote_count: countSchema,
  recorded_count: countSchema,
  unrecorded_count: countSchema,
  failed_count: countSchema,
  begun: partsCopySchema.nullable().default(null),
});
type Cursor = z.infer<typeof cursorSchema>;

/** How often a place between two groups is kept, milliseconds: what a run that dies looks at twice. */
const KEPT_EVERY_MS = 20_000;

/**
 * A round, or as much of one as the time allows: a walk that copies, and, where something is missing here, a walk that removes. `isConfirmed`: somebody
 * has looked, and what is missing here without a record goes too, however much it is.
 */
export async function runSync(
  context: SyncContext,
  run: JobRun,
  { isConfirmed }: { readonly isConfirmed: boolean },
): Promise<JobOutcome<SyncReport>> {
  const report = emptySyncReport();
  const stopped = (stoppedBy: SyncReport["stoppedBy"]): JobOutcome<SyncReport> => ({
    report: { ...report, stoppedBy },
    outcome: "failed",
    cursor: run.cursor,
  });
  const { bucket, remote } = context;
  if (remote === undefined) return stopped("sync_not_configured");
  const ends: Ends = { bucket, remote };
  const claimed = await caught(() => claimRemote(context, ends, run.isDryRun));
  if (!claimed.ok) return stopped(claimed.error.code);
  const round = new Round(context, ends, { run, report });
  if (round.cursor.phase === "copy") {
    const walk = await round.copy();
    if (!walk.isDone) return round.ended(walk);
    round.enter("remove");
  }
  const { remote_count: remoteCount, recorded_count: recorded, unrecorded_count: unrecordedCount } = round.cursor;
  const isMissing = recorded + unrecordedCount > 0;
  const removesUnrecorded = isConfirmed || mayRemoveUnrecorded({ remoteCount, unrecordedCount });
  return round.ended(isMissing ? await round.remove(removesUnrecorded) : { isDone: true });
}

class Round {
  readonly #context: SyncContext;
  readonly #ends: Ends;
  readonly #run: JobRun;
  readonly #report: SyncReport;
  readonly #reasons: RemovalReasons;
  #keptAtMs: number;
  cursor: Cursor;

  constructor(
    context: SyncContext,
    ends: Ends,
    { run, report }: { readonly run: JobRun; readonly report: SyncReport },
  ) {
    this.#context = context;
    this.#ends = ends;
    this.#run = run;
    this.#report = report;
    this.#reasons = new RemovalReasons(context, ends, { isRegistryWhole: true });
    this.#keptAtMs = context.clock();
    this.cursor = cursorSchema.parse(run.cursor);
  }

  enter(phase: Cursor["phase"]): void {
    this.cursor = { ...this.cursor, phase, after: "" };
  }

  async copy(): Promise<Walk> {
    const { remote_count: remoteCount, recorded_count: recordedCount } = this.cursor;
    const { unrecorded_count: unrecordedCount, failed_count: failedCount, begun } = this.cursor;
    const round: CopyRound = {
      ends: this.#ends,
      reasons: this.#reasons,
      report: this.#report,
      counts: { remoteCount, recordedCount, unrecordedCount, failedCount },
      isDryRun: this.#run.isDryRun,
      isSpent: () => this.#run.budget.isSpent(),
      begun: begun ?? undefined,
      keep: (copy) => this.#keepParts(copy),
    };
    const walk = await this.#walk({
      visit: (pair) => visitToCopy(round, pair),
      visitAlone: async ({ here }) => (here === undefined ? ok(true) : copyAlone(round, here)),
      settle: () => {
        const { counts } = round;
        this.cursor = {
          ...this.cursor,
          remote_count: counts.remoteCount,
          recorded_count: counts.recordedCount,
          unrecorded_count: counts.unrecordedCount,
          failed_count: counts.failedCount,
        };
      },
    });
    this.cursor = { ...this.cursor, begun: round.begun ?? null };
    return walk.isDone ? this.#dropBegun(walk) : walk;
  }

  /** An upload whose object was not met again. */
  async #dropBegun(walk: Walk): Promise<Walk> {
    const { begun } = this.cursor;
    if (begun === null) return walk;
    const aborted = await this.#ends.remote.abortUpload({ key: begun.key, uploadId: begun.upload_id });
    if (!aborted.ok) return { isDone: false, error: aborted.error };
    this.cursor = { ...this.cursor, begun: null };
    return walk;
  }

  remove(removesUnrecorded: boolean): Promise<Walk> {
    const { isDryRun } = this.#run;
    const round = { ends: this.#ends, reasons: this.#reasons, report: this.#report, isDryRun, removesUnrecorded };
    return this.#walk({
      visit: (pair) => visitToRemove(round, pair),
      visitAlone: async () => ok(true),
      settle: () => undefined,
    });
  }

  /** `settle` brings the counts of what was visited into the cursor: of whole groups alone, since a part of one is met again. */
  async #walk(visitor: Pick<PairVisitor, "visit" | "visitAlone"> & { readonly settle: () => void }): Promise<Walk> {
    const walk = await walkPairs(this.#ends, this.cursor.after, {
      ...visitor,
      keepPlace: (after) => {
        visitor.settle();
        this.cursor = { ...this.cursor, after };
        return this.#keepPlace();
      },
    });
    if (walk.isDone) visitor.settle();
    return walk;
  }

  async #keepPlace(): Promise<boolean> {
    if (this.#run.budget.isSpent()) return false;
    const nowMs = this.#context.clock();
    if (nowMs - this.#keptAtMs < KEPT_EVERY_MS) return true;
    this.#keptAtMs = nowMs;
    return this.#run.checkpoint(this.cursor);
  }

  /** In the middle of a group: the place before it, with what the remote has of the object. */
  #keepParts(begun: PartsCopy | undefined): Promise<boolean> {
    this.cursor = { ...this.cursor, begun: begun ?? null };
    return this.#run.checkpoint(this.cursor);
  }

  ended(walk: Walk): JobOutcome<SyncReport> {
    const report = { ...this.#report, stoppedBy: walk.error?.code ?? null };
    const hasFailed = this.cursor.failed_count > 0 || report.withheldCount > 0;
    const cursor = walk.isDone ? {} : this.cursor;
    if (walk.error !== undefined) return { report, outcome: "failed", cursor };
    if (!walk.isDone) return { report, outcome: "partial", cursor };
    return { report, outcome: hasFailed ? "failed" : "done", cursor, gauges: this.#gauges() };
  }

  #gauges(): readonly JobGauge[] {
    return [
      { name: "sync_remote_objects", labels: {}, value: this.cursor.remote_count },
      { name: "sync_failed_objects", labels: {}, value: this.cursor.failed_count },
      { name: "sync_withheld_removals", labels: {}, value: this.#report.withheldCount },
    ];
  }
}
