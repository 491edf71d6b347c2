import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { ok, type Result } from "../../base/result.ts";
import { listPages } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { expireDeletions } from "../deletions/expire-deletions.ts";
import type { JobRun } from "../jobs/job.ts";
import { removeObjects } from "../snapshots/remove-objects.ts";
import { BACKUPS_PREFIX, CLOCKS_APART_MS, listBackupIds, manifestKey, readManifest } from "./manifest.ts";

interface ExpiryContext {
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly newUlid: () => string;
}

/** Full backups that are kept, with the deltas behind them: five weeks, as long as runs of jobs are remembered. */
export const FULLS_KEPT = 5;

/**
 * Removes backups that are older than the oldest full one that is kept, and what is left of those that never became whole. The manifest goes first, so that
 * nothing half removed looks like a backup. Records of deletions from before go with them. Returns how many backups went; what does not fit into the run's time goes with the next one.
 */
export async function expireBackups(
  context: ExpiryContext,
  { newest, run }: { readonly newest: string; readonly run: JobRun },
): Promise<Result<number, Problem>> {
  const fulls: { readonly id: string; readonly startedAtMs: number }[] = [];
  const partial: string[] = [];
  const ids = await listBackupIds(context.bucket);
  for (const id of ids) {
    const manifest = await readManifest(context.bucket, id);
    if (manifest.ok && manifest.value.kind === "full")
      fulls.push({ id, startedAtMs: Date.parse(manifest.value.started_at) });
    if (!manifest.ok && manifest.error === "missing" && id < newest) partial.push(id);
  }
  const kept = fulls.slice(-FULLS_KEPT);
  const oldestKept = kept[0]?.id ?? "";
  let expiredCount = 0;
  for (const id of ids.filter((each) => each < oldestKept || partial.includes(each))) {
    if (run.budget.isSpent()) break;
    const removed = await removeBackup(context, id);
    if (!removed.ok) return removed;
    expiredCount += 1;
  }
  if (oldestKept === "") return ok(expiredCount);
  // Of all that are kept: the clock may have been ahead when the oldest was made.
  const earliestMs = Math.min(...kept.map(({ startedAtMs }) => startedAtMs));
  const expiry = { beforeMs: earliestMs - CLOCKS_APART_MS, isSpent: () => run.budget.isSpent() };
  const forgotten = await expireDeletions(context, expiry);
  return forgotten.ok ? ok(expiredCount) : forgotten;
}

async function removeBackup(context: ExpiryContext, id: string): Promise<Result<void, Problem>> {
  const why = "a backup past its weeks";
  const manifest = await removeObjects(context, [manifestKey(id)], why);
  if (!manifest.ok) return manifest;
  for await (const page of listPages(context.bucket, { prefix: `${BACKUPS_PREFIX}${id}/` })) {
    const keys = page.map(({ key }) => key);
    const removed = keys.length === 0 ? ok(undefined) : await removeObjects(context, keys, why);
    if (!removed.ok) return removed;
  }
  return ok(undefined);
}
