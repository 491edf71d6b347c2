/** The `Sql` port over Neon's HTTP driver. Runs in Workers and in Node; the only file that knows the driver. */
import { neon, neonConfig } from "@neondatabase/serverless";
import { hexOf } from "../base/bytes.ts";
import { err, ok } from "../base/result.ts";
import type { Result } from "../base/result.ts";
import { sqlErrorOf } from "./sql-error.ts";
import { scopeStatement } from "./sql.ts";
import type { Row, Scope, Sql, SqlError, Statement, TransactionOptions } from "./sql.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface NeonSqlOptions {
  /** `postgresql://user:password@host/database`. */
  readonly connectionString: string;
  /** Full URL of another `/sql` endpoint; left out, the driver derives Neon's from the host. */
  readonly fetchEndpoint?: string;
  /** For a call that names none. Counts the whole request, cold start included. */
  readonly timeoutMs: number;
  readonly fetchFunction?: Fetch;
  /** Asked at each transaction. */
  readonly applicationName?: () => string | undefined;
}

/**
 * Makes the adapter. Nothing is retried: the caller knows what is idempotent. One call is one HTTPS request of at most
 * 64 MB each way (Neon's limit, answered as `too_large`). Values come back as the driver parses them (see `Row`).
 */
export function createNeonSql(options: NeonSqlOptions): Sql {
  const client = neon(options.connectionString, { disableWarningInBrowsers: true });
  const run = <T>(timeoutMs: number | undefined, start: (signal: AbortSignal) => Promise<T>) =>
    runCall(options, timeoutMs ?? options.timeoutMs, start);

  return {
    async transaction(scope: Scope, statements: readonly Statement[], chosen: TransactionOptions = {}) {
      const results = await run(chosen.timeoutMs, (signal) =>
        client.transaction(
          [scopeStatement(scope, options.applicationName?.()), ...statements].map((each) =>
            client.query(each.text, wireParams(each)),
          ),
          {
            fetchOptions: { signal },
            ...(chosen.readOnly === undefined ? {} : { readOnly: chosen.readOnly }),
            ...(chosen.isolation === undefined ? {} : { isolationLevel: chosen.isolation }),
          },
        ),
      );
      return results.ok ? ok(results.value.slice(1)) : results;
    },
    async query(statement, chosen = {}): Promise<Result<readonly Row[], SqlError>> {
      // The driver's promise starts its request in `then`, which has to happen here and now (see runCall).
      return run(chosen.timeoutMs, (signal) =>
        client.query(statement.text, wireParams(statement), { fetchOptions: { signal } }).then((rows) => rows),
      );
    },
  };
}

/**
 * The driver takes endpoint and fetch from a global which it reads synchronously when a call starts. They are set for
 * that instant only, so that clients of several endpoints live side by side.
 */
async function runCall<T>(
  options: NeonSqlOptions,
  timeoutMs: number,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<Result<T, SqlError>> {
  const send: Fetch = options.fetchFunction ?? ((url, init) => fetch(url, init));
  let httpStatus: number | undefined;
  let isSent = false;
  const { fetchEndpoint, fetchFunction } = neonConfig;
  neonConfig.fetchFunction = async (url: string, init: RequestInit) => {
    isSent = true;
    const response = await send(url, init);
    httpStatus = response.status;
    return response;
  };
  if (options.fetchEndpoint !== undefined) neonConfig.fetchEndpoint = options.fetchEndpoint;
  let running: Promise<T>;
  try {
    running = start(AbortSignal.timeout(timeoutMs));
  } finally {
    neonConfig.fetchEndpoint = fetchEndpoint;
    neonConfig.fetchFunction = fetchFunction;
  }
  try {
    return ok(await running);
  } catch (cause) {
    // Nothing was sent: a parameter or the connection string is impossible, which is no state of the database.
    if (!isSent) throw cause;
    return err(sqlErrorOf({ cause, httpStatus }));
  }
}

function wireParams(statement: Statement): unknown[] {
  return statement.params.map(wireParam);
}

/** The driver only knows its own Buffer as bytes, and none inside arrays; hexadecimal text means bytea everywhere. */
function wireParam(param: unknown): unknown {
  if (param instanceof Uint8Array) return `\\x${hexOf(param)}`;
  return Array.isArray(param) ? param.map(wireParam) : param;
}
