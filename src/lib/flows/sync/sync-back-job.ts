import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Job, JobOutcome, JobRun } from "../jobs/job.ts";
import { bringInParts, type PartsBring, partsBringSchema } from "./bring-in-parts.ts";
import { bringPiece, type Brought } from "./bring-piece.ts";
import type { Pair } from "./paired-listing.ts";
import { RemovalReasons } from "./removal-reasons.ts";
import { bringSource, checkCopy, SOURCE_KEY, type SourceRefusal } from "./source-identity.ts";
import { decodeStoredForm, type StoredForm } from "./stored-form.ts";
import { type Ends, PIECE_BYTES, type SyncContext } from "./sync-context.ts";
import { caught, concernsOneObject, type SyncError, type SyncErrorCode } from "./sync-error.ts";
import { type Failures, noteFailure } from "./sync-report.ts";
import { isFinished, VISITED, type Visited, type Walk, walkPairs } from "./walk-pairs.ts";

interface SyncBackReport extends Failures {
  lookedAtCount: number;
  broughtCount: number;
  broughtBytes: number;
  /** Of those: no hash of them is known, and their length is right. */
  unverifiedCount: number;
  /** Removed or erased here, by a record of it: they stay away. */
  removedCount: number;
  foreignCount: number;
  stoppedBy: SyncErrorCode | SourceRefusal["code"] | "sync_not_configured" | null;
}

const cursorSchema = z.object({
  after: z.string().default(""),
  failed_count: z.int().min(0).default(0),
  begun: partsBringSchema.nullable().default(null),
});

/** Brings what is missing in the bucket back from the second remote, by hand. docs/sync.md says what comes before and after. */
export const SYNC_BACK_JOB: Job<SyncContext, SyncBackReport> = {
  name: "sync_back",
  summary: "brings objects that are missing here back from the second remote, verified",
  cron: null,
  timeMsMax: 14 * MINUTE_MS,
  isEnabled: ({ remote }) => remote !== undefined,
  run: (context, run) => new SyncBack(context, run).run(),
};

class SyncBack {
  readonly #context: SyncContext;
  readonly #run: JobRun;
  #cursor: z.infer<typeof cursorSchema>;
  #failedCount: number;
  readonly #report: SyncBackReport = {
    lookedAtCount: 0,
    broughtCount: 0,
    broughtBytes: 0,
    unverifiedCount: 0,
    removedCount: 0,
    foreignCount: 0,
    failedCount: 0,
    failures: [],
    stoppedBy: null,
  };

  constructor(context: SyncContext, run: JobRun) {
    this.#context = context;
    this.#run = run;
    this.#cursor = cursorSchema.parse(run.cursor);
    this.#failedCount = this.#cursor.failed_count;
  }

  async run(): Promise<JobOutcome<SyncBackReport>> {
    const { bucket, remote } = this.#context;
    if (remote === undefined) return this.#ended("failed", "sync_not_configured");
    const ends: Ends = { bucket, remote };
    const checked = await caught(() => checkCopy(ends));
    if (!checked.ok) return this.#ended("failed", checked.error.code);
    const walk = await this.#walk(ends);
    if (walk.error !== undefined) return this.#ended("failed", walk.error.code);
    if (!walk.isDone) return this.#ended("partial", null);
    // Last, so that a bucket that is half back is not taken for the whole one by the next round of sync.
    const isWhole = this.#failedCount === 0;
    if (isWhole && !this.#run.isDryRun) {
      const source = await caught(() => bringSource(ends));
      if (!source.ok) return this.#ended("failed", source.error.code);
    }
    this.#cursor = cursorSchema.parse({});
    return this.#ended(isWhole ? "done" : "failed", null);
  }

  #ended(
    outcome: JobOutcome<SyncBackReport>["outcome"],
    stoppedBy: SyncBackReport["stoppedBy"],
  ): JobOutcome<SyncBackReport> {
    return { report: { ...this.#report, stoppedBy }, outcome, cursor: this.#cursor };
  }

  #walk(ends: Ends): Promise<Walk> {
    const reasons = new RemovalReasons(this.#context, ends, { isRegistryWhole: false });
    return walkPairs(ends, this.#cursor.after, {
      visit: (pair) => this.#visit(ends, reasons, pair),
      visitAlone: (pair) => this.#visitAlone(ends, pair),
      keepPlace: async (after) => {
        this.#cursor = { ...this.#cursor, after, failed_count: this.#failedCount };
        return !this.#run.budget.isSpent() && this.#run.checkpoint(this.#cursor);
      },
    });
  }

  async #visit(ends: Ends, reasons: RemovalReasons, pair: Pair): Promise<Result<Visited, SyncError>> {
    const { key, here, there } = pair;
    this.#report.lookedAtCount += 1;
    if (here !== undefined || there === undefined || key === SOURCE_KEY) return VISITED;
    const reason = await reasons.reasonFor(there);
    if (!reason.ok) return reason;
    if (reason.value !== "unrecorded") {
      this.#report.removedCount += 1;
      return VISITED;
    }
    if (there.sizeBytes > PIECE_BYTES) return ok({ outcome: "later" });
    const form = await this.#formOf(ends, key);
    if (!form.ok) return form;
    if (form.value === undefined) return VISITED;
    if (this.#run.isDryRun) return this.#noted(key, wouldBring(there.sizeBytes));
    return this.#noted(key, await bringPiece(ends, there, form.value));
  }

  async #visitAlone(ends: Ends, { key, there }: Pair): Promise<Result<boolean, SyncError>> {
    const form = await this.#formOf(ends, key);
    if (!form.ok) return form;
    if (there === undefined || form.value === undefined) return ok(true);
    const object = { there, form: form.value };
    if (this.#run.isDryRun) return isFinished(this.#noted(key, wouldBring(there.sizeBytes)));
    const brought = await caught(() =>
      bringInParts(ends, {
        ...object,
        begun: this.#cursor.begun ?? undefined,
        isSpent: () => this.#run.budget.isSpent(),
        keep: (begun) => this.#keepParts(begun),
      }),
    );
    if (!brought.ok) {
      // What met a failing remote goes on from the last part. What R2 refuses begins anew: it may have given the upload up.
      if (concernsOneObject(brought.error) || brought.error.code === "storage_unavailable")
        this.#cursor = { ...this.#cursor, begun: null };
      return isFinished(this.#noted(key, brought));
    }
    const { value } = brought;
    this.#cursor = { ...this.#cursor, begun: value.outcome === "paused" ? value.begun : null };
    return value.outcome === "paused" ? ok(false) : isFinished(this.#noted(key, ok(value)));
  }

  #keepParts(begun: PartsBring): Promise<boolean> {
    this.#cursor = { ...this.#cursor, begun };
    return this.#run.checkpoint(this.#cursor);
  }

  /** Undefined: the object is not a copy of ours. */
  async #formOf({ remote }: Ends, key: string): Promise<Result<StoredForm | undefined, SyncError>> {
    const head = await remote.head(key);
    if (!head.ok) return head;
    const form = decodeStoredForm(head.value?.metadata ?? {});
    if (form === undefined) this.#report.foreignCount += 1;
    return ok(form);
  }

  #noted(key: string, brought: Result<Brought, SyncError>): Result<Visited, SyncError> {
    if (!brought.ok) {
      if (!concernsOneObject(brought.error)) return brought;
      noteFailure(this.#report, key, brought.error.code);
      this.#failedCount += 1;
      return VISITED;
    }
    if (brought.value.outcome === "present") return VISITED;
    this.#report.broughtCount += 1;
    this.#report.broughtBytes += brought.value.sizeBytes;
    if (!brought.value.isVerified) this.#report.unverifiedCount += 1;
    return VISITED;
  }
}

function wouldBring(sizeBytes: number): Result<Brought, SyncError> {
  return ok({ outcome: "brought", sizeBytes, isVerified: true });
}
