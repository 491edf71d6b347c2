import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  countUserRows,
  disownUserReceipts,
  erasedRowsSchema,
  eraseUserDocuments,
  eraseUserQuarantine,
  eraseUserRemains,
  eraseUserStatistics,
  eraseUserTables,
  userRowCountsSchema,
  type ErasedUser,
} from "../../db/queries/erase-user.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import type { Erasure, EraseUserContext, StepResult } from "./erasure.ts";

/** Documents of one statement, with their chunks: about a second of Postgres. */
const DOCUMENTS_PER_PAGE = 500;
/** Receipts and quarantined inputs of one statement. */
const ROWS_PER_PAGE = 5_000;

/** The system, for the whole tenant: a scope of the user could not make receipts nobody's. */
const scopeOf = ({ tenantId }: Erasure): { readonly tenantId: string; readonly userId: "*" } => ({
  tenantId,
  userId: "*",
});

/** Deletes what the store holds of the user, page by page; receipts become nobody's. */
export async function eraseUserRows(context: Pick<EraseUserContext, "sql">, erasure: Erasure): Promise<StepResult> {
  const pages = [
    { statement: eraseUserDocuments(erasure, DOCUMENTS_PER_PAGE), rowsMax: DOCUMENTS_PER_PAGE },
    { statement: disownUserReceipts(erasure, ROWS_PER_PAGE), rowsMax: ROWS_PER_PAGE },
    { statement: eraseUserQuarantine(erasure, ROWS_PER_PAGE), rowsMax: ROWS_PER_PAGE },
  ];
  for (const [index, { statement, rowsMax }] of pages.entries()) {
    // `after` of this step counts the kinds of rows that are done.
    if (index < Number(erasure.progress.after)) continue;
    for (let isLeft = true; isLeft;) {
      if (erasure.budget.isSpent()) return ok({ done: false });
      erasure.budget.spend();
      const rows = await context.sql.transaction(scopeOf(erasure), [statement]);
      if (!rows.ok) return err(problemOfSql(rows.error));
      isLeft = erasedRowsSchema.parse(rows.value[0]?.[0]).row_count >= rowsMax;
    }
    erasure.progress = { ...erasure.progress, after: String(index + 1) };
  }
  const rest = [...eraseUserRemains(erasure), ...eraseUserTables(erasure), ...eraseUserStatistics(erasure)];
  const rows = await context.sql.transaction(scopeOf(erasure), rest);
  return rows.ok ? ok({ done: true }) : err(problemOfSql(rows.error));
}

type RowCounts = ReturnType<typeof userRowCountsSchema.parse>;

/** What the store holds of the user, by table. */
export async function countRows(context: { readonly sql: Sql }, user: ErasedUser): Promise<Result<RowCounts, Problem>> {
  const scope = { tenantId: user.tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [countUserRows(user)], { readOnly: true });
  return rows.ok ? ok(userRowCountsSchema.parse(rows.value[0]?.[0])) : err(problemOfSql(rows.error));
}
