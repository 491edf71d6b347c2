import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { type CoverageRow, coverageRowSchema, selectCoverage, type TenantModel } from "../../db/queries/reembed.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";

/** Counting the documents of a tenant of a million takes some seconds. */
const COVERAGE_TIMEOUT_MS = 60_000;

/** How far a model has come in a tenant, counted in the store. */
export async function measureCoverage(sql: Sql, model: TenantModel): Promise<Result<CoverageRow, Problem>> {
  const scope = { tenantId: model.tenantId, userId: "*" };
  const rows = await sql.transaction(scope, [selectCoverage(model)], {
    readOnly: true,
    timeoutMs: COVERAGE_TIMEOUT_MS,
  });
  return rows.ok ? ok(coverageRowSchema.parse(rows.value[0]?.[0])) : err(problemOfSql(rows.error));
}
