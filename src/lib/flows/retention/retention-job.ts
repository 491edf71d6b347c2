import type { R2Bucket } from "@cloudflare/workers-types";
import { DAY_MS, MINUTE_MS } from "../../base/durations.ts";
import type { TenantPolicy } from "../../contract/policy.ts";
import { expiredBatchRowSchema, selectExpiredBatches } from "../../db/queries/retention.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import { countOpenErasures, openErasuresRowSchema } from "../../db/queries/user-erasures.ts";
import type { Job, JobContext, JobRun } from "../jobs/job.ts";
import { walkTenants } from "../jobs/walk-tenants.ts";
import { dropExpiredBatch, measureBatch } from "./drop-batch.ts";
import { expireReplies } from "./expire-replies.ts";

interface RetentionContext extends JobContext {
  readonly bucket: R2Bucket;
}

interface Tally {
  tenantCount: number;
  batchCount: number;
  documentCount: number;
  /** Of a dry run 0: chunks are counted as they go. */
  chunkCount: number;
  receiptCount: number;
  replyCount: number;
  /** Erasures of users that were begun and not asked for again: their tombstones hold, the rest waits for the next request. */
  openErasureCount: number;
  /** Batches and tenants that could not be cleaned: the next run meets them again. */
  failedCount: number;
  /** Batches that were dropped, or would be, at most `TAGS_MAX`. */
  readonly batches: { readonly tenant_id: string; readonly batch_tag: string }[];
}

interface RetentionReport extends Tally {
  /** WAL objects are what everything is restored from: none goes before a registered pack holds what it holds. */
  readonly wal: typeof WAL_OBJECTS;
}

const WAL_OBJECTS = "removed by the job pack, after wal_days, once their documents are in packs";

/** Batches of one page. */
const BATCHES_PER_PAGE = 50;
/** Batches that a report names. */
const TAGS_MAX = 500;

/** Drops batches that are older than their tenant's policy allows, and removes replies that nobody asks for any more. */
export const RETENTION_JOB: Job<RetentionContext, RetentionReport> = {
  name: "retention",
  summary: "drops batches that are older than their tenant's policy allows, and removes old remembered replies",
  cron: "0 3 * * *",
  timeMsMax: 4 * MINUTE_MS,
  async run(context, run) {
    const tally: Tally = {
      tenantCount: 0,
      batchCount: 0,
      documentCount: 0,
      chunkCount: 0,
      receiptCount: 0,
      replyCount: 0,
      openErasureCount: 0,
      failedCount: 0,
      batches: [],
    };
    const { isDone, cursor } = await walkTenants(context.bucket, { prefix: "wal/", cursor: run.cursor }, (tenantId) => {
      tally.tenantCount += 1;
      return cleanTenant(context, tenantId, { run, tally });
    });
    return {
      report: { ...tally, wal: WAL_OBJECTS },
      outcome: tally.failedCount > 0 ? "failed" : isDone ? "done" : "partial",
      cursor,
    };
  },
};

interface Work {
  readonly run: Pick<JobRun, "budget" | "isDryRun">;
  readonly tally: Tally;
}

/** False: the time is over. */
async function cleanTenant(context: RetentionContext, tenantId: string, work: Work): Promise<boolean> {
  const { run, tally } = work;
  const scope = { tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [selectPolicy(tenantId), countOpenErasures(tenantId)], {
    readOnly: true,
  });
  if (!rows.ok) {
    tally.failedCount += 1;
    return true;
  }
  tally.openErasureCount += openErasuresRowSchema.parse(rows.value[1]?.[0]).open_count;
  const row = rows.value[0]?.[0];
  if (row === undefined) return true;
  const { retention } = policyRowSchema.parse(row).policy;
  const isDone = await dropBatches(context, tenantId, { ...work, retention });
  if (!isDone) return false;
  const replies = await expireReplies(context.bucket, {
    tenantId,
    beforeMs: context.clock() - retention.wal_days * DAY_MS,
    isDryRun: run.isDryRun,
    isSpent: () => run.budget.isSpent(),
  });
  tally.replyCount += replies.removedCount;
  return replies.isDone;
}

async function dropBatches(
  context: RetentionContext,
  tenantId: string,
  { run, tally, retention }: Work & { readonly retention: TenantPolicy["retention"] },
): Promise<boolean> {
  const { batch_days: days, pinned } = retention;
  if (days === null) return true;
  const failed: string[] = [];
  for (;;) {
    if (run.budget.isSpent()) return false;
    // A dry run would meet its first page again and again: it looks at one that is larger.
    const rowsMax = run.isDryRun ? TAGS_MAX : BATCHES_PER_PAGE;
    const page = { days, pinned: [...pinned, ...failed], rowsMax };
    const found = await context.sql.transaction({ tenantId, userId: "*" }, [selectExpiredBatches(tenantId, page)], {
      readOnly: true,
    });
    if (!found.ok) {
      tally.failedCount += 1;
      return true;
    }
    const tags = (found.value[0] ?? []).map((row) => expiredBatchRowSchema.parse(row).batch_tag);
    for (const batchTag of tags) {
      const batch = { tenantId, batchTag };
      const dropped = await (run.isDryRun
        ? measureBatch(context, batch)
        : dropExpiredBatch(context, batch, { isSpent: () => run.budget.isSpent() }));
      if (!dropped.ok) {
        tally.failedCount += 1;
        failed.push(batchTag);
        continue;
      }
      tally.documentCount += dropped.value.documentCount;
      tally.chunkCount += dropped.value.chunkCount;
      tally.receiptCount += dropped.value.receiptCount;
      if (!dropped.value.isDone) return false;
      tally.batchCount += 1;
      if (tally.batches.length < TAGS_MAX) tally.batches.push({ tenant_id: tenantId, batch_tag: batchTag });
    }
    if (run.isDryRun || tags.length < rowsMax) return true;
  }
}
