import type { Problem } from "../contract/problem.ts";
import type { SqlError } from "../db/sql.ts";

/** Seconds a client is asked to wait when a dependency is down. */
const RETRY_AFTER_SECONDS = 5;

/** SQL states of a text that Postgres cannot hold: a NUL, or what is no UTF-8. No id and no name that is stored has one. */
const IMPOSSIBLE_TEXT: ReadonlySet<string> = new Set(["22021", "22P05"]);

/** The database's failure as a client may know it: nothing of the statement or its values. */
export function problemOfSql(error: SqlError): Problem {
  if (error.sqlState !== undefined && IMPOSSIBLE_TEXT.has(error.sqlState))
    return { code: "parameter_invalid", detail: "no text that is stored holds a NUL" };
  if (error.code === "database_error" || error.code === "constraint_violation" || error.code === "too_large") {
    return { code: "internal" };
  }
  return { code: "database_unavailable", retryAfterSeconds: RETRY_AFTER_SECONDS };
}

/** The object store's failure as a client may know it. */
export function storageUnavailable(): Problem {
  return { code: "storage_unavailable", retryAfterSeconds: RETRY_AFTER_SECONDS };
}
