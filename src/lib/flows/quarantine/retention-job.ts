import type { R2Bucket } from "@cloudflare/workers-types";
import type { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import { ok, type Result } from "../../base/result.ts";
import { expiredRowSchema, markTextsRemoved, selectExpired } from "../../db/queries/quarantine.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import type { Job, JobContext, JobRun } from "../jobs/job.ts";
import { walkTenants } from "../jobs/walk-tenants.ts";
import { removeHeldTexts } from "./quarantine-object.ts";

interface RetentionContext extends JobContext {
  readonly bucket: R2Bucket;
}

interface RetentionReport {
  readonly tenantCount: number;
  readonly removedCount: number;
  /** Tenants that could not be cleaned: the next run meets them again. */
  readonly failedCount: number;
}

/** Texts removed in one run; each object of them is read and written once. What is left is the next run's. */
const REMOVED_MAX = 5_000;
/** Texts of one tenant removed at a time: one statement. */
const PAGE_ROWS_MAX = 500;

/** Removes quarantined texts that are older than their tenant's policy allows, and completes interrupted purges. */
export const QUARANTINE_RETENTION_JOB: Job<RetentionContext, RetentionReport> = {
  name: "quarantine_retention",
  summary: "removes quarantined texts that are older than their tenant's policy allows, and completes purges",
  cron: "0 3 * * *",
  timeMsMax: 5 * MINUTE_MS,
  async run(context, run) {
    let removedCount = 0;
    let failedCount = 0;
    let tenantCount = 0;
    const walk = { prefix: "quarantine/", cursor: run.cursor } as const;
    const { isDone, cursor } = await walkTenants(context.bucket, walk, async (tenantId) => {
      const removed = await cleanTenant(context, tenantId, { run, removedMax: REMOVED_MAX - removedCount });
      tenantCount += 1;
      if (removed.ok) removedCount += removed.value.removedCount;
      else failedCount += 1;
      return !removed.ok || removed.value.isDone;
    });
    return {
      report: { tenantCount, removedCount, failedCount },
      outcome: failedCount > 0 ? "failed" : isDone ? "done" : "partial",
      cursor,
    };
  },
};

async function cleanTenant(
  context: RetentionContext,
  tenantId: string,
  { run, removedMax }: { readonly run: Pick<JobRun, "budget" | "isDryRun">; readonly removedMax: number },
): Promise<Result<{ readonly removedCount: number; readonly isDone: boolean }, unknown>> {
  const scope = { tenantId, userId: "*" };
  const policy = await context.sql.transaction(scope, [selectPolicy(tenantId)], { readOnly: true });
  if (!policy.ok) return policy;
  const row = policy.value[0]?.[0];
  if (row === undefined) return ok({ removedCount: 0, isDone: true });
  const { retention_days: retentionDays } = policyRowSchema.parse(row).policy.quarantine;
  let removedCount = 0;
  for (;;) {
    if (removedCount >= removedMax || run.budget.isSpent()) return ok({ removedCount, isDone: false });
    // A dry run removes nothing and would meet one page again and again: it counts all that this run could remove at once.
    const page = run.isDryRun ? removedMax : Math.min(PAGE_ROWS_MAX, removedMax - removedCount);
    const found = await context.sql.transaction(scope, [selectExpired(tenantId, retentionDays, page)]);
    if (!found.ok) return found;
    const expired = (found.value[0] ?? []).map((each) => expiredRowSchema.parse(each));
    if (run.isDryRun || expired.length === 0)
      return ok({ removedCount: removedCount + expired.length, isDone: expired.length < page });
    const removed = await removeTexts(context, expired);
    if (!removed.ok) return removed;
    const removal = { quarantineIds: expired.map((each) => each.quarantine_id), decidedBy: "retention" };
    const marked = await context.sql.transaction(scope, [markTextsRemoved(tenantId, removal)]);
    if (!marked.ok) return marked;
    removedCount += expired.length;
  }
}

async function removeTexts(
  context: Pick<RetentionContext, "bucket">,
  expired: readonly z.output<typeof expiredRowSchema>[],
): Promise<Result<null, unknown>> {
  const byObject = Map.groupBy(expired, (each) => each.object_key);
  for (const [objectKey, rows] of byObject) {
    const indexes = new Set(rows.map((each) => each.document_index));
    const removed = await removeHeldTexts(context.bucket, objectKey, indexes);
    if (!removed.ok) return removed;
  }
  return ok(null);
}
