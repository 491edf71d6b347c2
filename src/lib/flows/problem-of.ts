import type { Problem } from "../contract/problem.ts";
import type { SqlError } from "../db/sql.ts";

/** Seconds a client is asked to wait when a dependency is down. */
const RETRY_AFTER_SECONDS = 5;

/** The database's failure as a client may know it: nothing of the statement or its values. */
export function problemOfSql(error: SqlError): Problem {
  if (error.code === "database_error" || error.code === "constraint_violation" || error.code === "too_large") {
    return { code: "internal" };
  }
  return { code: "database_unavailable", retryAfterSeconds: RETRY_AFTER_SECONDS };
}

/** The object store's failure as a client may know it. */
export function storageUnavailable(): Problem {
  return { code: "storage_unavailable", retryAfterSeconds: RETRY_AFTER_SECONDS };
}
