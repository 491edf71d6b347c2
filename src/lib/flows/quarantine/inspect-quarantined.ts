import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import { piiPolicySchema } from "../../contract/pii.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Inspected } from "../../contract/quarantine.ts";
import { selectQuarantined } from "../../db/queries/quarantine.ts";
import type { Sql } from "../../db/sql.ts";
import { applyPiiPolicy, type PiiVerdict } from "../../pii/apply-policy.ts";
import { findPii } from "../../pii/find-pii.ts";
import { problemOfSql } from "../problem-of.ts";
import { ownQuarantined, quarantinedOf, quarantineScope } from "./list-quarantine.ts";
import { readHeld } from "./quarantine-object.ts";

/** UTF-16 units of a preview: enough to see what it is, too little to be a copy. */
const PREVIEW_CHARACTERS_MAX = 1_000;

const EVERYTHING = piiPolicySchema.parse({ default: "redact" });

/** One quarantined input with a redacted preview. Errors: `not_found`, also for another user's. */
export async function inspectQuarantined(
  context: { readonly sql: Sql; readonly bucket: R2Bucket },
  principal: Principal,
  quarantineId: string,
): Promise<Result<Inspected, Problem>> {
  const scope = quarantineScope(principal);
  const rows = await context.sql.transaction(scope, [selectQuarantined(scope, quarantineId)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownQuarantined(scope, rows.value[0]);
  if (!own.ok) return own;
  const [row] = own.value;
  if (row === undefined) return err({ code: "not_found" });
  const nothing = { title_preview: null, preview: null, is_whole: false, pii_counts: {} };
  if (row.text_removed_at !== null) return ok({ ...quarantinedOf(row), ...nothing });
  const held = await readHeld(context.bucket, {
    objectKey: row.object_key,
    rangeIndex: row.object_range,
    documentIndex: row.document_index,
  });
  if (!held.ok) return held;
  if (held.value === undefined) return ok({ ...quarantinedOf(row), ...nothing });
  const { text, title } = held.value.document;
  const redacted = redact(text ?? "");
  return ok({
    ...quarantinedOf(row),
    title_preview: redact(title).text,
    preview: redacted.text.slice(0, PREVIEW_CHARACTERS_MAX).toWellFormed(),
    is_whole: redacted.text.length <= PREVIEW_CHARACTERS_MAX,
    pii_counts: redacted.counts,
  });
}

/** Every span as a placeholder, whatever the tenant's policy allows: a preview is for eyes that decide, not for the one it is about. */
function redact(text: string): PiiVerdict {
  return applyPiiPolicy(text, findPii(text), EVERYTHING);
}
