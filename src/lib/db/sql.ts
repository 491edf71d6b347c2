/**
 * The port every room reads and writes Postgres through. It has no interactive transaction: a batch of statements goes
 * out in one request and commits or fails whole, because that is what Neon offers over HTTP.
 */
import type { Result } from "../base/result.ts";

/** One SQL statement with `$1..` parameters. Casts belong in the text (`$1::uuid[]`): every parameter travels as text. */
export interface Statement {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** Column name to value. int8 and numeric are strings, timestamptz a Date, json parsed, bytea bytes, vectors text. */
export type Row = Readonly<Record<string, unknown>>;

/** Whose rows a transaction may see: `userId` '' is the tenant's shared rows only, '*' every user (the system only). */
export interface Scope {
  readonly tenantId: string;
  readonly userId: string;
}

export interface TransactionOptions {
  readonly readOnly?: boolean;
  readonly isolation?: "ReadCommitted" | "RepeatableRead" | "Serializable";
  readonly timeoutMs?: number;
}

export interface Sql {
  /**
   * Runs `statements` in order in one transaction, the scope set first for its length; one array of rows per statement.
   * After `database_timeout` or `database_unavailable` it may have committed or not: only repeat what is idempotent.
   */
  transaction(
    scope: Scope,
    statements: readonly Statement[],
    options?: TransactionOptions,
  ): Promise<Result<readonly (readonly Row[])[], SqlError>>;
  /**
   * One statement outside a transaction and without a scope: it sees nothing that row-level security protects.
   * For system tables, VACUUM and CREATE INDEX CONCURRENTLY. The same doubt after a timeout.
   */
  query(statement: Statement, options?: { readonly timeoutMs?: number }): Promise<Result<readonly Row[], SqlError>>;
}

export type SqlErrorCode =
  | "database_unavailable"
  | "database_timeout"
  | "unique_violation"
  | "serialization_failure"
  | "constraint_violation"
  | "too_large"
  | "database_error";

/**
 * Why a call failed. `retryable` says that the same call may succeed later, not that it had no effect.
 * `cause` is the driver's error, not enumerable because its detail can quote row values: never log it.
 */
export interface SqlError {
  readonly code: SqlErrorCode;
  readonly sqlState?: string;
  readonly constraint?: string;
  readonly retryable: boolean;
  readonly cause?: unknown;
}

/** Statement that sets whose rows the rest of its transaction sees and, for its length, what the transaction is called (63 bytes of ASCII). */
export function scopeStatement(scope: Scope, applicationName?: string): Statement {
  const text = "select set_config('app.tenant_id', $1, true), set_config('app.user_id', $2, true)";
  const params = [scope.tenantId, scope.userId];
  if (applicationName === undefined) return { text, params };
  return { text: `${text}, set_config('application_name', $3, true)`, params: [...params, applicationName] };
}

/** Statement that lets the rest of its transaction see the one api key with this hash (64 hexadecimal characters). */
export function keyLookupStatement(keyHashHex: string): Statement {
  return { text: "select set_config('app.key_hash', $1, true)", params: [keyHashHex] };
}
