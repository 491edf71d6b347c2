/** Sorts what the driver throws into `SqlError`: the one table of SQLSTATEs and HTTP statuses. */
import type { SqlError, SqlErrorCode } from "./sql.ts";

interface Meaning {
  readonly code: SqlErrorCode;
  readonly retryable: boolean;
}

const UNAVAILABLE: Meaning = { code: "database_unavailable", retryable: true };
const TIMEOUT: Meaning = { code: "database_timeout", retryable: true };
const SERIALIZATION: Meaning = { code: "serialization_failure", retryable: true };
const TOO_LARGE: Meaning = { code: "too_large", retryable: false };
const PERMANENT: Meaning = { code: "database_error", retryable: false };

/** Whole SQLSTATEs first, then classes (first two characters). Source: PostgreSQL 18 manual, appendix A. */
const BY_SQL_STATE: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["40001", SERIALIZATION],
  ["40P01", SERIALIZATION],
  ["23505", { code: "unique_violation", retryable: false }],
  ["55P03", TIMEOUT],
  ["57014", TIMEOUT],
  ["25P03", TIMEOUT],
  ["25P04", TIMEOUT],
  ["57P01", UNAVAILABLE],
  ["57P02", UNAVAILABLE],
  ["57P03", UNAVAILABLE],
  ["57P05", UNAVAILABLE],
]);

const BY_SQL_STATE_CLASS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["08", UNAVAILABLE],
  ["53", UNAVAILABLE],
  ["58", UNAVAILABLE],
  ["40", SERIALIZATION],
  ["23", { code: "constraint_violation", retryable: false }],
]);

/** Meaning of a SQLSTATE; what the table does not name is permanent (`database_error`). */
function meaningOfSqlState(sqlState: string): Meaning {
  return BY_SQL_STATE.get(sqlState) ?? BY_SQL_STATE_CLASS.get(sqlState.slice(0, 2)) ?? PERMANENT;
}

/** Meaning of an HTTP status of the `/sql` endpoint other than 200 and 400. */
function meaningOfHttpStatus(status: number): Meaning {
  if (status === 413 || status === 507) return TOO_LARGE;
  if (status === 408 || status === 504) return TIMEOUT;
  if (status === 429 || status >= 500) return UNAVAILABLE;
  return PERMANENT;
}

/** What is known of a failed call: the thrown value and, where an answer came, its HTTP status. */
export interface Failure {
  readonly cause: unknown;
  readonly httpStatus?: number | undefined;
}

/**
 * Error of a failed call. An answer 400 without SQLSTATE is the proxy failing to reach Postgres; a call without any
 * answer timed out if its signal says so and otherwise lost its connection.
 */
export function sqlErrorOf({ cause, httpStatus }: Failure): SqlError {
  const sqlState = textField(cause, "code");
  const constraint = textField(cause, "constraint");
  const meaning = meaningOf(cause, httpStatus, sqlState);
  const error = {
    code: meaning.code,
    retryable: meaning.retryable,
    ...(sqlState === undefined ? {} : { sqlState }),
    ...(constraint === undefined ? {} : { constraint }),
  };
  return Object.defineProperty(error, "cause", { value: cause, enumerable: false });
}

function meaningOf(cause: unknown, httpStatus: number | undefined, sqlState: string | undefined): Meaning {
  if (isAbort(cause)) return TIMEOUT;
  if (httpStatus === 400) return sqlState === undefined ? UNAVAILABLE : meaningOfSqlState(sqlState);
  if (httpStatus !== undefined && httpStatus !== 200) return meaningOfHttpStatus(httpStatus);
  return UNAVAILABLE;
}

/** The driver wraps what fetch threw as `sourceError`; a body cut off by the signal is thrown bare. */
function isAbort(cause: unknown): boolean {
  if (typeof cause !== "object" || cause === null) return false;
  if ("name" in cause && (cause.name === "TimeoutError" || cause.name === "AbortError")) return true;
  return "sourceError" in cause && isAbort(cause.sourceError);
}

function textField(value: unknown, name: "code" | "constraint"): string | undefined {
  if (typeof value !== "object" || value === null || !(name in value)) return undefined;
  const field: unknown = Reflect.get(value, name);
  return typeof field === "string" && field !== "" ? field : undefined;
}
