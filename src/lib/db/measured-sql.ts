/** The `Sql` port with each call timed, for the metrics of whoever opens it. */
import type { Clock } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { Sql, SqlError } from "./sql.ts";

export interface SqlCall {
  /** read: a read-only transaction; write: any other one; statement: outside a transaction. */
  readonly kind: "read" | "write" | "statement";
  readonly durationMs: number;
  /** undefined: it succeeded. */
  readonly error: SqlError | undefined;
}

/** Makes the port. `note` is told of each call when it has ended; what the driver throws passes through unnoted. */
export function createMeasuredSql(sql: Sql, clock: Clock, note: (call: SqlCall) => void): Sql {
  async function timed<T>(kind: SqlCall["kind"], call: () => Promise<Result<T, SqlError>>) {
    const startedMs = clock();
    const result = await call();
    note({ kind, durationMs: clock() - startedMs, error: result.ok ? undefined : result.error });
    return result;
  }
  return {
    transaction: (scope, statements, options) =>
      timed(options?.readOnly === true ? "read" : "write", () => sql.transaction(scope, statements, options)),
    query: (statement, options) => timed("statement", () => sql.query(statement, options)),
  };
}
