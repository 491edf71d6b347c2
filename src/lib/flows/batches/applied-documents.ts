import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { appliedDocumentsRowSchema, selectAppliedDocuments } from "../../db/queries/search-writes.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";

/** How many documents of each of these WAL objects are applied, by WAL id; those of which none is are left out. */
export async function appliedDocuments(
  sql: Sql,
  tenantId: string,
  walIds: readonly string[],
): Promise<Result<ReadonlyMap<string, number>, Problem>> {
  const read = await sql.transaction({ tenantId, userId: "" }, [selectAppliedDocuments(tenantId, walIds)], {
    readOnly: true,
  });
  if (!read.ok) return err(problemOfSql(read.error));
  const rows = (read.value[0] ?? []).map((row) => appliedDocumentsRowSchema.parse(row));
  return ok(new Map(rows.map((row) => [row.wal_id, row.document_count])));
}
