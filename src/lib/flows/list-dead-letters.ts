import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import { selectOpenDeadLetters } from "../db/queries/dead-letters.ts";
import type { Sql } from "../db/sql.ts";
import { ownTenantRows } from "./own-rows.ts";
import { problemOfSql } from "./problem-of.ts";

/** Work that could not succeed as it was: where it lies and why. There is no text in it. */
export const deadLetterSchema = z.object({
  dead_letter_id: z.string(),
  queue: z.string(),
  code: z.string(),
  wal_id: z.string().nullable(),
  range_index: z.int().nullable(),
  document_index: z.int().nullable(),
  chunk_index: z.int().nullable(),
  attempts: z.int(),
  created_at: z.iso.datetime(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

const rowSchema = deadLetterSchema.extend({
  tenant_id: z.string(),
  created_at: z.date().transform((date) => date.toISOString()),
});

/** The newest open dead letters of a tenant. */
export async function listDeadLetters(
  sql: Sql,
  tenantId: string,
  rowsMax: number,
): Promise<Result<readonly DeadLetter[], Problem>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectOpenDeadLetters(tenantId, rowsMax)], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownTenantRows(
    "dead_letters",
    tenantId,
    (rows.value[0] ?? []).map((row) => rowSchema.parse(row)),
  );
  return own.ok ? ok(own.value.map(({ tenant_id: _tenant, ...letter }) => letter)) : own;
}
