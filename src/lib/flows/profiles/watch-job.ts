/** TEMPORARY: stands in for writers that do not use the API yet. It is replaced by the event that `PUT /v1/profiles/{user_id}` makes. */
import { z } from "zod";
import { versionKey } from "../../base/document-uid.ts";
import type { Log } from "../../base/log.ts";
import { deleteSignatures } from "../../db/queries/duplicates.ts";
import { deleteChunksOfDocument, upsertTombstone } from "../../db/queries/erase-document.ts";
import {
  documentWithoutFactRowSchema,
  leaveSeries,
  selectChangedBySql,
  selectDocumentsWithoutFact,
} from "../../db/queries/profile-outbox.ts";
import { lockSeries, settleSeries } from "../../db/queries/series.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import { listTenants } from "../tenants/list-tenants.ts";
import type { Job, JobContext, JobRun } from "../jobs/job.ts";
import { tenantsWithUnsent, type DatabasesContext } from "./outbox-job.ts";
import type { PutProfileContext } from "./put-profile.ts";
import { CHANGED_PAGE_MAX, sendChanged } from "./send-changed.ts";

export interface WatchContext extends PutProfileContext, JobContext, DatabasesContext {
  readonly log: Log;
  readonly config: { readonly profiles: { readonly watch: "off" | "poll" } };
  readonly metrics: {
    count(name: "profile_changes_total", labels: { readonly cause: string; readonly change: string }, by: number): void;
  };
}

interface WatchReport {
  readonly sentCount: number;
  readonly refusedCount: number;
  /** Documents of rows that were deleted. */
  readonly erasedCount: number;
  readonly failedCount: number;
}

const cursorSchema = z.object({ after_tenant: z.string().default("") });

/** Rows of one run; those beyond them come in the next one. */
const ROWS_MAX = 2_000;
/** Documents of deleted rows that one run erases of a tenant: a transaction each. */
const ERASED_MAX = 200;

/** Finds what was changed in `profiles` by SQL and sends each change once. Runs with `PROFILE_WATCH=poll` only. */
export const PROFILE_WATCH_JOB: Job<WatchContext, WatchReport> = {
  name: "profile_watch",
  summary: "temporary: sends changes of profiles that were written by SQL",
  cron: "*/5 * * * *",
  timeMsMax: 60_000,
  isEnabled: ({ config }) => config.profiles.watch === "poll",
  async run(context, run) {
    context.log.warn("profile_watch_is_temporary", { replaced_by: "PUT /v1/profiles/{user_id}" });
    const { after_tenant: afterTenant } = cursorSchema.parse(run.cursor);
    const { tenants, failedCount } = await tenantsWithUnsent(context);
    const tally = { sent: 0, refused: 0, erased: 0, failed: failedCount };
    const all = new Set([...tenants, ...(await listTenants(context.bucket, "wal/"))]);
    let cutShortAt = "";
    for (const tenantId of [...all].sort().filter((each) => each > afterTenant)) {
      await sendAllChanged(context, tenantId, { tally, run });
      await eraseDeleted(context, tenantId, { tally, run });
      if (tally.sent < ROWS_MAX && !run.budget.isSpent()) continue;
      cutShortAt = tenantId;
      break;
    }
    if (!run.isDryRun)
      for (const change of ["sent", "refused", "erased"] as const)
        context.metrics.count("profile_changes_total", { cause: "watch", change }, tally[change]);
    return {
      report: {
        sentCount: tally.sent,
        refusedCount: tally.refused,
        erasedCount: tally.erased,
        failedCount: tally.failed,
      },
      outcome: tally.failed > 0 ? "failed" : cutShortAt === "" ? "done" : "partial",
      cursor: { after_tenant: cutShortAt },
    };
  },
};

interface Tally {
  sent: number;
  refused: number;
  erased: number;
  failed: number;
}

interface Work {
  readonly tally: Tally;
  readonly run: Pick<JobRun, "budget" | "isDryRun">;
}

async function sendAllChanged(context: WatchContext, tenantId: string, { tally, run }: Work): Promise<void> {
  if (run.isDryRun) return countChanged(context, tenantId, tally);
  while (tally.sent < ROWS_MAX && !run.budget.isSpent()) {
    const sent = await sendChanged(context, tenantId);
    if (!sent.ok) {
      tally.failed += 1;
      return;
    }
    tally.sent += sent.value.rowCount;
    tally.refused += sent.value.refusedCount;
    if (sent.value.rowCount < CHANGED_PAGE_MAX) return;
  }
}

async function countChanged(context: WatchContext, tenantId: string, tally: Tally): Promise<void> {
  const rows = await context.sql.transaction({ tenantId, userId: "*" }, [selectChangedBySql(tenantId, ROWS_MAX)]);
  if (rows.ok) tally.sent += rows.value[0]?.length ?? 0;
  else tally.failed += 1;
}

/** A deleted row takes its document with it, and the version before it holds again. */
async function eraseDeleted(context: WatchContext, tenantId: string, { tally, run }: Work): Promise<void> {
  const scope = { tenantId, userId: "*" };
  const found = await context.sql.transaction(scope, [selectDocumentsWithoutFact(tenantId, ERASED_MAX)], {
    readOnly: true,
  });
  if (!found.ok) {
    tally.failed += 1;
    return;
  }
  if (run.isDryRun) tally.erased += found.value[0]?.length ?? 0;
  for (const row of run.isDryRun ? [] : (found.value[0] ?? [])) {
    if (run.budget.isSpent()) return;
    const {
      document_uid: documentUid,
      user_id: userId,
      document_id: documentId,
      series,
    } = documentWithoutFactRowSchema.parse(row);
    const deletionId = context.newUlid();
    const key = versionKey(deletionId, 0);
    const named = [{ userId, series }];
    const tombstone = {
      tenantId,
      documentUid,
      userId,
      documentId,
      tier: "profile",
      versionKey: key,
      batchTag: deletionId,
    };
    const erased = await context.sql.transaction(scope, [
      holdErasures(tenantId, [userId]),
      lockSeries(tenantId, named),
      upsertTombstone(tombstone),
      deleteChunksOfDocument(tenantId, documentUid),
      ...deleteSignatures(tenantId, [{ documentUid, versionKey: key }]),
      leaveSeries(tenantId, documentUid),
      settleSeries(tenantId, named),
    ]);
    if (erased.ok) tally.erased += 1;
    else tally.failed += 1;
  }
}
