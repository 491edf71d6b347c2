/** Removes WAL objects of which nothing is left that a pack does not hold. */
import { err, ok, type Result } from "../../base/result.ts";
import { removeObjects } from "../snapshots/remove-objects.ts";
import type { PackContext, PackFailure } from "./context.ts";
import type { TenantRun } from "./tenant-run.ts";
import { readWalPage, type WalEntry } from "./wal-pages.ts";

export interface RemovedWal {
  readonly isDone: boolean;
  /** Some that have ended hold a text that no pack has: they have to be packed. */
  readonly isToBePacked: boolean;
}

/**
 * Goes over the WAL objects whose requests were accepted before `beforeMs`, oldest first. One goes when each of its ranges is applied, no quarantined input of
 * it waits for a decision, and each document that was made of it and holds is in a registered pack. It is looked at anew each time: nothing is remembered
 * of what stayed.
 */
export async function removePacked(
  context: PackContext,
  beforeMs: number,
  run: TenantRun,
): Promise<Result<RemovedWal, PackFailure>> {
  const { tenantId, tally, isDryRun } = run;
  let isToBePacked = false;
  for (let startAfter = ""; ;) {
    if (run.isSpent()) return ok({ isDone: false, isToBePacked });
    const page = await readWalPage(context, { tenantId, startAfter, beforeMs, isWithoutRemoved: true });
    if (!page.ok) return page;
    const going: WalEntry[] = [];
    for (const entry of page.value.entries) {
      const why = whyKept(entry);
      if (why === undefined) going.push(entry);
      else tally.keptWal[why] += 1;
      isToBePacked ||= why === "unpacked";
    }
    const keys = going.map(({ key }) => key);
    const removed = isDryRun
      ? ok({ removedCount: keys.length, keptCount: 0 })
      : await removeObjects(context, keys, "packed");
    if (!removed.ok) return err({ code: removed.error.code });
    tally.removedWalCount += removed.value.removedCount;
    tally.heldBySnapshotCount += removed.value.keptCount;
    if (removed.value.keptCount === 0)
      tally.removedWalBytes += going.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (page.value.isLast) return ok({ isDone: true, isToBePacked });
    startAfter = page.value.lastKey;
    if (!(await run.checkpoint())) return ok({ isDone: false, isToBePacked });
  }
}

function whyKept({ isEnded, state }: WalEntry): "unapplied" | "dead" | "undecided" | "unpacked" | undefined {
  if (!isEnded) return "unapplied";
  if (state.dead_count > 0) return "dead";
  if (state.undecided_count > 0) return "undecided";
  return state.unpacked_count > 0 ? "unpacked" : undefined;
}
