/** One database under two credentials while its password is being changed. */
import type { Result } from "../base/result.ts";
import type { Sql, SqlError } from "./sql.ts";

/**
 * Makes a port that uses one of several credentials of the same database: the one that worked last, first. Only a call that was refused for its
 * credential is made again with the next one, because only then is it certain that nothing of it ran. When all are refused the last refusal
 * is the answer.
 */
export function createRotatingSql(credentials: readonly [Sql, ...Sql[]]): Sql {
  let preferred = 0;
  const run = async <T>(call: (sql: Sql) => Promise<Result<T, SqlError>>): Promise<Result<T, SqlError>> => {
    const first = preferred;
    let result = await call(credentials[first] ?? credentials[0]);
    for (let step = 1; step < credentials.length && !result.ok && isCredentialRefused(result.error); step++) {
      const index = (first + step) % credentials.length;
      result = await call(credentials[index] ?? credentials[0]);
      if (result.ok) preferred = index;
    }
    return result;
  };
  return {
    transaction: (scope, statements, options) => run((sql) => sql.transaction(scope, statements, options)),
    query: (statement, options) => run((sql) => sql.query(statement, options)),
  };
}

/**
 * Whether the server knew neither role nor password: SQLSTATE class 28 (PostgreSQL manual, appendix A). Neon's proxy checks passwords itself
 * and may answer without a SQLSTATE; its sentence is Postgres' own.
 */
function isCredentialRefused(error: SqlError): boolean {
  if (error.sqlState !== undefined) return error.sqlState.startsWith("28");
  return error.cause instanceof Error && error.cause.message.includes("password authentication failed");
}
