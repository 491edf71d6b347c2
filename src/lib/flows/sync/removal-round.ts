/** Second walk of a round: what is not in R2 any more goes from the remote. */
import { ok, type Result } from "../../base/result.ts";
import type { Pair } from "./paired-listing.ts";
import type { RemovalReasons } from "./removal-reasons.ts";
import { SOURCE_KEY } from "./source-identity.ts";
import { decodeStoredForm } from "./stored-form.ts";
import type { Ends } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";
import type { SyncReport } from "./sync-report.ts";
import { VISITED, type Visited } from "./walk-pairs.ts";

export interface RemovalRound {
  readonly ends: Ends;
  readonly reasons: RemovalReasons;
  readonly report: SyncReport;
  readonly isDryRun: boolean;
  /** Whether objects go of which no record says why they are gone here. */
  readonly removesUnrecorded: boolean;
}

/**
 * Objects without a record that one round may remove: a twentieth of the remote. A rule of the bucket that deletes, or a hand that slips, takes more, and
 * is stopped here; what goes without a record in six hours is some. The least is so that a small bucket is not stuck.
 */
const UNRECORDED_SHARE_MAX = 0.05;
const UNRECORDED_MIN = 20;

export function mayRemoveUnrecorded({
  remoteCount,
  unrecordedCount,
}: {
  readonly remoteCount: number;
  readonly unrecordedCount: number;
}): boolean {
  return unrecordedCount <= Math.max(UNRECORDED_MIN, remoteCount * UNRECORDED_SHARE_MAX);
}

/** R2 is asked once more before anything is deleted: the listing is older than this moment. */
export async function visitToRemove(
  round: RemovalRound,
  { key, here, there }: Pair,
): Promise<Result<Visited, SyncError>> {
  if (here !== undefined || there === undefined || key === SOURCE_KEY) return VISITED;
  const { ends, reasons, report } = round;
  const reason = await reasons.reasonFor(there);
  if (!reason.ok) return reason;
  if (reason.value === "waiting") {
    report.waitingCount += 1;
    return VISITED;
  }
  if (reason.value === "unrecorded" && !round.removesUnrecorded) {
    report.withheldCount += 1;
    return VISITED;
  }
  if ((await ends.bucket.head(key)) !== null) return VISITED;
  const head = await ends.remote.head(key);
  if (!head.ok) return head;
  if (head.value === null) return VISITED;
  if (decodeStoredForm(head.value.metadata) === undefined) {
    report.foreignCount += 1;
    return VISITED;
  }
  const deleted = round.isDryRun ? ok(undefined) : await ends.remote.delete(key);
  if (!deleted.ok) return deleted;
  report.removedCount += 1;
  return VISITED;
}
