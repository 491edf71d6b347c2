/** First walk of a round: what is new or changed in R2 goes to the remote, and what only the remote has is counted. */
import type { R2Object } from "@cloudflare/workers-types";
import { ok, type Result } from "../../base/result.ts";
import { copyInParts, type PartsCopy } from "./copy-in-parts.ts";
import { type Copied, copyPiece } from "./copy-piece.ts";
import { isCopied } from "./is-copied.ts";
import type { Pair } from "./paired-listing.ts";
import type { RemovalReasons } from "./removal-reasons.ts";
import { SOURCE_KEY } from "./source-identity.ts";
import { type Ends, PIECE_BYTES } from "./sync-context.ts";
import { concernsOneObject, type SyncError } from "./sync-error.ts";
import { noteFailure, type SyncReport } from "./sync-report.ts";
import { isFinished, VISITED, type Visited } from "./walk-pairs.ts";

/** Counts of a whole round, however many runs it takes; what the second walk decides by. */
export interface RoundCounts {
  remoteCount: number;
  recordedCount: number;
  unrecordedCount: number;
  failedCount: number;
}

export interface CopyRound {
  readonly ends: Ends;
  readonly reasons: RemovalReasons;
  readonly report: SyncReport;
  readonly counts: RoundCounts;
  readonly isDryRun: boolean;
  readonly isSpent: () => boolean;
  /** The large object that is under way; kept in the cursor. */
  begun: PartsCopy | undefined;
  readonly keep: (begun: PartsCopy | undefined) => Promise<boolean>;
}

export async function visitToCopy(round: CopyRound, { key, here, there }: Pair): Promise<Result<Visited, SyncError>> {
  const { ends, report, counts, reasons } = round;
  report.lookedAtCount += 1;
  if (there !== undefined) counts.remoteCount += 1;
  if (here === undefined) {
    if (there === undefined || key === SOURCE_KEY) return VISITED;
    const reason = await reasons.reasonFor(there);
    if (!reason.ok) return reason;
    if (reason.value === "recorded") counts.recordedCount += 1;
    if (reason.value === "unrecorded") counts.unrecordedCount += 1;
    return VISITED;
  }
  const same = there === undefined ? ok(false) : await isCopied(ends.remote, here, there);
  if (!same.ok) return same;
  if (same.value) return VISITED;
  if (here.size > PIECE_BYTES && !round.isDryRun) return ok({ outcome: "later" });
  const copied: Result<Copied, SyncError> = round.isDryRun
    ? ok({ outcome: "copied", sizeBytes: here.size })
    : await copyPiece(ends, key);
  return noted(round, key, copied);
}

/** False: the time is over in the middle of the object. */
export async function copyAlone(round: CopyRound, object: R2Object): Promise<Result<boolean, SyncError>> {
  const { ends, begun, isSpent } = round;
  const copied = await copyInParts(ends, {
    object,
    begun,
    isSpent,
    keep: (copy) => {
      round.begun = copy;
      return round.keep(copy);
    },
  });
  if (!copied.ok) {
    // What fails for its own reasons begins anew; what met a failing server goes on from the last part.
    if (concernsOneObject(copied.error)) round.begun = undefined;
    return isFinished(noted(round, object.key, copied));
  }
  const { value } = copied;
  round.begun = value.outcome === "paused" ? value.begun : undefined;
  return value.outcome === "paused" ? ok(false) : isFinished(noted(round, object.key, ok(value)));
}

function noted(
  { report, counts }: CopyRound,
  key: string,
  copied: Result<Copied, SyncError>,
): Result<Visited, SyncError> {
  if (!copied.ok) {
    if (!concernsOneObject(copied.error)) return copied;
    noteFailure(report, key, copied.error.code);
    counts.failedCount += 1;
    return VISITED;
  }
  if (copied.value.outcome === "gone") return VISITED;
  report.copiedCount += 1;
  report.copiedBytes += copied.value.sizeBytes;
  return VISITED;
}
