import type { R2Bucket } from "@cloudflare/workers-types";
import type { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { purgeReplySchema } from "../../contract/quarantine.ts";
import { decidePurge, markTextsRemoved, selectQuarantined } from "../../db/queries/quarantine.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { ownQuarantined } from "./list-quarantine.ts";
import { removeHeldTexts } from "./quarantine-object.ts";

/**
 * Removes the text of a quarantined input for good; its row stays as the record of the decision. The decision comes first, so that an
 * interrupted purge is completed by the retention job or by calling it again. Errors: `not_found`; `conflict` while it is being released.
 */
export async function purgeQuarantined(
  context: { readonly sql: Sql; readonly bucket: R2Bucket },
  principal: Principal,
  request: { readonly quarantineId: string; readonly note: string },
): Promise<Result<z.output<typeof purgeReplySchema>, Problem>> {
  const { tenantId, keyId } = principal;
  const scope = { tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [
    decidePurge(tenantId, { ...request, decidedBy: keyId }),
    selectQuarantined(scope, request.quarantineId),
  ]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownQuarantined(scope, rows.value[1]);
  if (!own.ok) return own;
  const [row] = own.value;
  if (row === undefined) return err({ code: "not_found" });
  if (row.state !== "purged" && row.state !== "released") {
    return err({ code: "conflict", detail: "it is being released: release it again to complete that" });
  }
  const removed = await removeHeldTexts(context.bucket, row.object_key, new Set([row.document_index]));
  if (!removed.ok) return removed;
  const removal = { quarantineIds: [row.quarantine_id], decidedBy: keyId };
  const marked = await context.sql.transaction(scope, [markTextsRemoved(tenantId, removal)]);
  if (!marked.ok) return err(problemOfSql(marked.error));
  return ok({ quarantine_id: row.quarantine_id, state: row.state, text_removed: true });
}
