import { MINUTE_MS } from "../../base/durations.ts";
import { ok, type Result } from "../../base/result.ts";
import { orphanedDuplicateRowSchema, selectOrphanedDuplicates } from "../../db/queries/duplicates.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import type { PiiKeyring } from "../../pii/keyring.ts";
import { redactStored, reenterStored } from "./reenter-stored.ts";
import type { Job, JobContext, JobRun } from "../jobs/job.ts";
import { walkTenants } from "../jobs/walk-tenants.ts";
import type { PackReadContext } from "../packs/context.ts";
import { sealingKey } from "../judging/sealing-key.ts";
import type { StoreContext } from "../ingest/store-request.ts";

interface ReturnContext extends JobContext, StoreContext, PackReadContext {
  readonly newUlid: () => string;
  readonly piiKeys?: PiiKeyring | undefined;
}

interface ReturnReport {
  readonly returnedCount: number;
  /** Documents whose text could not be read or sent: the next round meets them again. */
  readonly failedCount: number;
}

/** Documents of one run: one WAL object each. */
const RETURNED_MAX = 500;
/** Rows of one query. */
const PAGE_ROWS_MAX = 100;
/** How long a duplicate rests before its original is looked for, milliseconds: both may be on their way. */
const SETTLED_MS = 10 * MINUTE_MS;

/**
 * Brings back what was left out as a duplicate of a text that is not stored any more, because its document was deleted or got another
 * text. Each comes as it was sent, by the rules of now; where several name one lost original, the first to come is the next original.
 */
export const RETURN_DUPLICATES_JOB: Job<ReturnContext, ReturnReport> = {
  name: "return_duplicates",
  summary: "indexes what was left out as a duplicate of a text that is not stored any more",
  cron: "0 * * * *",
  timeMsMax: 5 * MINUTE_MS,
  async run(context, run) {
    const tally = { returned: 0, failed: 0 };
    const walk = { prefix: "wal/", cursor: run.cursor } as const;
    const { isDone, cursor } = await walkTenants(context.bucket, walk, async (tenantId) => {
      const returned = await returnOfTenant(context, tenantId, { tally, run });
      if (!returned.ok) tally.failed += 1;
      return !returned.ok || returned.value.isDone;
    });
    return {
      report: { returnedCount: tally.returned, failedCount: tally.failed },
      outcome: tally.failed > 0 ? "failed" : isDone ? "done" : "partial",
      cursor,
    };
  },
};

interface Work {
  readonly tally: { returned: number; failed: number };
  readonly run: Pick<JobRun, "budget" | "isDryRun">;
}

async function returnOfTenant(
  context: ReturnContext,
  tenantId: string,
  { tally, run }: Work,
): Promise<Result<{ readonly isDone: boolean }, unknown>> {
  const scope = { tenantId, userId: "*" };
  let afterUid = "";
  for (;;) {
    if (tally.returned >= RETURNED_MAX || run.budget.isSpent()) return ok({ isDone: false });
    const page = { afterUid, settledMs: SETTLED_MS, rowsMax: PAGE_ROWS_MAX };
    const statements = [selectOrphanedDuplicates(tenantId, page), selectPolicy(tenantId)];
    const rows = await context.sql.transaction(scope, statements, { readOnly: true });
    if (!rows.ok) return rows;
    const orphans = (rows.value[0] ?? []).map((row) => orphanedDuplicateRowSchema.parse(row));
    const { pii } = policyRowSchema.parse(rows.value[1]?.[0] ?? { policy: {}, policy_version: 0 }).policy;
    const key = await sealingKey(context.piiKeys, tenantId, pii);
    if (!key.ok) return key;
    for (const orphan of orphans) {
      const version = {
        walKey: orphan.wal_key,
        documentIndex: orphan.document_index,
        versionKey: orphan.version_key,
      };
      const again = await redactStored(context, version, { policy: pii, key: key.value });
      const sent =
        again.ok && !run.isDryRun
          ? await reenterStored(context, version, { again: again.value, cause: "original_gone" })
          : again;
      if (sent.ok) tally.returned += 1;
      else tally.failed += 1;
    }
    const last = orphans.at(-1);
    if (last === undefined || orphans.length < PAGE_ROWS_MAX) return ok({ isDone: true });
    afterUid = last.document_uid;
  }
}
