import { receiptId } from "../../base/document-uid.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Quarantined } from "../../contract/quarantine.ts";
import { quarantineRowSchema, selectQuarantine, type QuarantineRecord } from "../../db/queries/quarantine.ts";
import type { Row, Scope, Sql } from "../../db/sql.ts";
import { ownRows } from "../own-rows.ts";
import { problemOfSql } from "../problem-of.ts";

/** A key bound to a user sees that user's inputs and the shared ones, any other key its tenant's. */
export function quarantineScope(principal: Principal): Scope {
  return { tenantId: principal.tenantId, userId: principal.userId === "" ? "*" : principal.userId };
}

/** A row as it goes out. */
export function quarantinedOf(row: QuarantineRecord): Quarantined {
  return {
    quarantine_id: row.quarantine_id,
    user_id: row.user_id === "" ? null : row.user_id,
    document_id: row.document_id,
    tier: row.tier,
    source: row.source,
    batch_tag: row.batch_tag,
    reasons: row.reasons,
    size_bytes: row.size_bytes,
    state: row.state,
    decided_by: row.decided_by,
    decided_at: row.decided_at?.toISOString() ?? null,
    decision_note: row.decision_note,
    released_as: row.release_wal_id === null ? null : receiptId(row.release_wal_id, 0),
    text_removed_at: row.text_removed_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

/** One page of the quarantine, newest first. */
export async function listQuarantine(
  sql: Sql,
  principal: Principal,
  page: { readonly beforeId: string | null; readonly state: string | null; readonly rowsMax: number },
): Promise<Result<Quarantined[], Problem>> {
  const scope = quarantineScope(principal);
  const rows = await sql.transaction(scope, [selectQuarantine(scope, page)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownQuarantined(scope, rows.value[0]);
  return own.ok ? ok(own.value.map(quarantinedOf)) : own;
}

/** Rows of the quarantine as records, once each is known to be the reader's. */
export function ownQuarantined(scope: Scope, rows: readonly Row[] = []): Result<readonly QuarantineRecord[], Problem> {
  return ownRows(
    "quarantine",
    scope,
    rows.map((row) => quarantineRowSchema.parse(row)),
  );
}
