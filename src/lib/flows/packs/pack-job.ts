import { z } from "zod";
import { DAY_MS, MINUTE_MS } from "../../base/durations.ts";
import type { TenantPolicy } from "../../contract/policy.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import type { Job, JobGauge, JobRun } from "../jobs/job.ts";
import { walkTenants } from "../jobs/walk-tenants.ts";
import { clearOrphans } from "./clear-orphans.ts";
import { compactTenant } from "./compact-tenant.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { packTenant } from "./pack-tenant.ts";
import { removePacked } from "./remove-packed.ts";
import { newTally, noteFailure, type PackTally } from "./tally.ts";
import { RUN_BOUNDS, type TenantRun } from "./tenant-run.ts";

const cursorSchema = z.object({
  after_tenant: z.string().default(""),
  /** Per tenant, the WAL key up to which everything is packed. */
  packed_up_to: z.record(z.string(), z.string()).default({}),
});

/**
 * Documents from WAL objects into packs, per tenant: what runs that died left is cleared, what came since is packed, verified and registered, packs are kept
 * few and full, and at last WAL objects go that are past the days of the tenant's policy and hold nothing any more that a registered pack does not.
 */
export const PACK_JOB: Job<PackContext, PackTally> = {
  name: "pack",
  summary:
    "packs documents into artifacts, verified and registered, and removes WAL objects whose documents all are in packs",
  cron: "0 */6 * * *",
  timeMsMax: 13 * MINUTE_MS,
  async run(context, run) {
    const cursor = cursorSchema.parse(run.cursor);
    const packedUpTo = { ...cursor.packed_up_to };
    const tally = newTally();
    const left = { ...RUN_BOUNDS };
    const walk = { prefix: "wal/", cursor: run.cursor } as const;
    const { isDone, cursor: walked } = await walkTenants(context.bucket, walk, async (tenantId, lastTenant) => {
      tally.tenantCount += 1;
      const place = (): JobRun["cursor"] => ({ after_tenant: lastTenant, packed_up_to: packedUpTo });
      const tenantRun: TenantRun = {
        tenantId,
        isDryRun: run.isDryRun,
        isSpent: () => run.budget.isSpent(),
        checkpoint: () => run.checkpoint(place()),
        tally,
        left,
      };
      const worked = await workOn(context, tenantRun, packedUpTo);
      if (worked.ok) return worked.value;
      noteFailure(tally, worked.error.code);
      // The next tenant's packs do not wait for this one's.
      return true;
    });
    const hasFailed = Object.keys(tally.failures).length > 0 || tally.unreadableCount > 0;
    return {
      report: tally,
      outcome: hasFailed ? "failed" : isDone ? "done" : "partial",
      cursor: { ...walked, packed_up_to: packedUpTo },
      gauges: ratioGauge(tally),
    };
  },
};

/** Nothing where nothing was packed: the ratio before stands. */
function ratioGauge({ packedBytes, packedCharacters }: PackTally): readonly JobGauge[] {
  if (packedBytes === 0) return [];
  return [{ name: "pack_compression_ratio", labels: {}, value: packedCharacters / packedBytes }];
}

/** Everything for one tenant; false: the run is spent. Rejects when R2 fails. */
async function workOn(
  context: PackContext,
  run: TenantRun,
  packedUpTo: Record<string, string>,
): Promise<Result<boolean, PackFailure>> {
  const { tenantId } = run;
  const cleared = await clearOrphans(context, run);
  if (!cleared.ok) return cleared;
  const packed = await packTenant(context, packedUpTo[tenantId] ?? "", run);
  if (!packed.ok) return packed;
  packedUpTo[tenantId] = packed.value.upTo;
  if (!packed.value.isDone || !(await run.checkpoint())) return ok(false);
  const compacted = await compactTenant(context, run);
  if (!compacted.ok || !compacted.value) return compacted;
  const retention = await retentionOf(context, tenantId);
  if (!retention.ok) return retention;
  const removed = await removePacked(context, context.clock() - retention.value.wal_days * DAY_MS, run);
  if (!removed.ok) return removed;
  if (removed.value.isToBePacked) packedUpTo[tenantId] = "";
  return ok(removed.value.isDone);
}

async function retentionOf(
  { sql }: Pick<PackContext, "sql">,
  tenantId: string,
): Promise<Result<TenantPolicy["retention"], PackFailure>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectPolicy(tenantId)], { readOnly: true });
  if (!rows.ok) return err({ code: rows.error.code });
  const row = rows.value[0]?.[0] ?? { policy: {}, policy_version: 0 };
  return ok(policyRowSchema.parse(row).policy.retention);
}
