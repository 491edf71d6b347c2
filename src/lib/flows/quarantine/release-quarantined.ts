import type { z } from "zod";
import { receiptId } from "../../base/document-uid.ts";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { releaseReplySchema } from "../../contract/quarantine.ts";
import { beginRelease, endRelease, selectQuarantined, type QuarantineRecord } from "../../db/queries/quarantine.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { reenter } from "../reentry/reenter.ts";
import type { StoreContext } from "../ingest/store-request.ts";
import { ownQuarantined } from "./list-quarantine.ts";
import { readHeld } from "./quarantine-object.ts";

export interface ReleaseContext extends StoreContext {
  readonly sql: Sql;
  readonly newUlid: () => string;
}

type ReleaseReply = z.output<typeof releaseReplySchema>;

/**
 * Lets a quarantined input in: it comes again through a WAL object of its own, its verdict overridden, and keeps its place among the versions
 * of its document. Who decided, when and why stays in its row. Calling it again completes what was interrupted and replies the same.
 * Errors: `not_found`; `conflict` where its text was purged.
 */
export async function releaseQuarantined(
  context: ReleaseContext,
  principal: Principal,
  request: { readonly quarantineId: string; readonly note: string },
): Promise<Result<ReleaseReply, Problem>> {
  const { tenantId } = principal;
  const decision = { ...request, walId: context.newUlid(), decidedBy: principal.keyId };
  const scope = { tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [
    beginRelease(tenantId, decision),
    selectQuarantined(scope, request.quarantineId),
  ]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownQuarantined(scope, rows.value[1]);
  if (!own.ok) return own;
  const [row] = own.value;
  if (row === undefined) return err({ code: "not_found" });
  if (row.release_wal_id === null) return err({ code: "conflict", detail: "the text was purged" });
  if (row.state === "releasing") {
    const released = await letIn(context, tenantId, { row, walId: row.release_wal_id });
    if (!released.ok) return released;
  }
  return ok({
    quarantine_id: row.quarantine_id,
    state: "released",
    receipt_id: receiptId(row.release_wal_id, 0),
    token: row.release_wal_id,
  });
}

async function letIn(
  context: ReleaseContext,
  tenantId: string,
  { row, walId }: { readonly row: QuarantineRecord; readonly walId: string },
): Promise<Result<null, Problem>> {
  const held = await readHeld(context.bucket, {
    objectKey: row.object_key,
    rangeIndex: row.object_range,
    documentIndex: row.document_index,
  });
  if (!held.ok) return held;
  if (held.value === undefined) return err({ code: "conflict", detail: "the text was removed" });
  const { head, document } = held.value;
  const entered = await reenter(context, {
    head: { ...head, tenant_id: tenantId, request_id: `release-${row.quarantine_id}` },
    walId,
    receivedAtMs: ulidTimeMs(walId),
    documents: [
      {
        ...document,
        verdict: "accepted",
        reasons: [{ code: "released", detail: row.quarantine_id }, ...document.reasons],
        curation: { ...document.curation, reentry: { cause: "released", version_key: row.version_key } },
      },
    ],
  });
  if (!entered.ok) return entered;
  const ended = await context.sql.transaction({ tenantId, userId: "*" }, [endRelease(tenantId, row.quarantine_id)]);
  return ended.ok ? ok(null) : err(problemOfSql(ended.error));
}
