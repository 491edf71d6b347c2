import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import type { Principal } from "../contract/principal.ts";
import type { Problem } from "../contract/problem.ts";
import { reasonSchema } from "../contract/verdict.ts";
import { selectQuarantine } from "../db/queries/quarantine.ts";
import type { Sql } from "../db/sql.ts";
import { problemOfSql } from "./problem-of.ts";

/** One quarantined input: which, why and how large. Its text stays in R2. */
export const quarantinedSchema = z.object({
  quarantine_id: z.string(),
  user_id: z.string().transform((userId) => (userId === "" ? null : userId)),
  document_id: z.string(),
  source: z.string(),
  batch_tag: z.string(),
  reasons: z.array(reasonSchema),
  size_bytes: z.int(),
  created_at: z.date().transform((date) => date.toISOString()),
});
export type Quarantined = z.output<typeof quarantinedSchema>;

/** One page of the quarantine, newest first; a key bound to a user sees that user's. */
export async function listQuarantine(
  sql: Sql,
  principal: Principal,
  page: { readonly beforeId: string | null; readonly rowsMax: number },
): Promise<Result<Quarantined[], Problem>> {
  const scope = { tenantId: principal.tenantId, userId: principal.userId === "" ? "*" : principal.userId };
  const rows = await sql.transaction(scope, [selectQuarantine(principal.tenantId, page)], { readOnly: true });
  return rows.ok ? ok((rows.value[0] ?? []).map((row) => quarantinedSchema.parse(row))) : err(problemOfSql(rows.error));
}
