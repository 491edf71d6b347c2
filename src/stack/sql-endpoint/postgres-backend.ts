/**
 * Serves jobs from any Postgres server over TCP, with a small pool per login. Host, port and TLS are fixed here;
 * a request only chooses user, password and database, so that it cannot reach another server through the endpoint.
 */
import { Client, Connection, DatabaseError, Pool } from "pg";
import type { ClientConfig, PoolClient, QueryArrayConfig } from "pg";
import { assert } from "../../lib/base/assert.ts";
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import { beginSql, databaseErrorFields, fieldOf, sessionResetSql } from "./backend.ts";
import type { BackendError, Login, SqlBackend, SqlJob, StatementResult, WireStatement } from "./backend.ts";

export interface PostgresBackendOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: boolean;
  /** Connections per login; further jobs wait. Neon's proxy has 20. */
  readonly connectionsMax?: number;
}

type JobResult = Result<readonly StatementResult[], BackendError>;

const CONNECTIONS_MAX = 10;
/** Logins with a pool of their own at a time; the longest unused one makes room. */
const POOLS_MAX = 8;
const CONNECT_TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 10_000;

class ResultTooLarge extends Error {}

export function createPostgresBackend(options: PostgresBackendOptions): SqlBackend {
  const pools = new Map<string, Pool>();

  const poolOf = (login: Login): Pool => {
    const key = JSON.stringify([login.user, login.password, login.database]);
    const known = pools.get(key);
    const pool = known ?? createPool(options, login);
    pools.delete(key);
    pools.set(key, pool);
    const oldest = pools.keys().next().value;
    if (pools.size > POOLS_MAX && oldest !== undefined) {
      void pools.get(oldest)?.end();
      pools.delete(oldest);
    }
    return pool;
  };

  return {
    name: "postgres",
    async run(job) {
      const pool = poolOf(job.login);
      let client: PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        return err(backendErrorOf(error));
      }
      const result = await runCancellably(client, job, () => cancelBackend(options, job.login, client));
      // The answer does not wait for the reset; a connection that cannot be reset is thrown away.
      void client.query(sessionResetSql("default")).then(
        () => client.release(),
        () => client.release(true),
      );
      return result;
    },
    async close() {
      const ending = [...pools.values()].map((pool) => pool.end());
      pools.clear();
      await Promise.all(ending);
    },
  };
}

function clientConfig(options: PostgresBackendOptions, login: Login): ClientConfig {
  return {
    host: options.host,
    port: options.port,
    user: login.user,
    password: login.password,
    database: login.database,
    ssl: options.tls === true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
}

function createPool(options: PostgresBackendOptions, login: Login): Pool {
  const pool = new Pool({
    ...clientConfig(options, login),
    max: options.connectionsMax ?? CONNECTIONS_MAX,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  });
  // A connection that dies while idle is replaced; without a listener it would end the process.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    // The driver answers a `copy … from stdin` with CopyFail, but its Sync went out before, where the server ignores it.
    const connection: unknown = Reflect.get(client, "connection");
    assert(connection instanceof Connection, "a pg client has a connection");
    connection.on("copyInResponse", () => connection.sync());
  });
  return pool;
}

/** Runs the job; when its signal aborts, asks the server to cancel and still waits until the connection is quiet. */
async function runCancellably(client: PoolClient, job: SqlJob, cancel: () => Promise<void>): Promise<JobResult> {
  if (job.signal.aborted) return err({ reason: "cancelled" });
  let cancelling: Promise<void> | undefined;
  const onAbort = (): void => {
    cancelling = cancel();
  };
  job.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return ok(await runJob(client, job));
  } catch (error) {
    return err(job.signal.aborted ? { reason: "cancelled" } : backendErrorOf(error));
  } finally {
    job.signal.removeEventListener("abort", onAbort);
    // A cancel request that arrives late must not hit the next job.
    await cancelling;
  }
}

async function runJob(client: PoolClient, job: SqlJob): Promise<readonly StatementResult[]> {
  const results: StatementResult[] = [];
  const sizeLeft = { value: job.resultSizeMax };
  if (job.batch !== undefined) await client.query(beginSql(job.batch));
  for (const statement of job.statements) {
    if (job.signal.aborted) throw new Error("the client hung up");
    results.push(await runStatement(client, statement, sizeLeft));
  }
  if (job.signal.aborted) throw new Error("the client hung up");
  if (job.batch !== undefined) await client.query("commit");
  return results;
}

async function runStatement(
  client: PoolClient,
  statement: WireStatement,
  sizeLeft: { value: number },
): Promise<StatementResult> {
  const keepText = (text: string): string => {
    sizeLeft.value -= text.length;
    if (sizeLeft.value < 0) throw new ResultTooLarge();
    return text;
  };
  // The type package does not know queryMode; it forces the extended protocol, which refuses two statements.
  const query: QueryArrayConfig & { queryMode: "extended" } = {
    text: statement.text,
    values: [...statement.params],
    rowMode: "array",
    queryMode: "extended",
    types: { getTypeParser: () => keepText },
  };
  const result = await client.query<(string | null)[]>(query);
  return {
    fields: result.fields.map(fieldOf),
    rows: result.rows,
    command: result.command ?? "",
    rowCount: result.rowCount,
  };
}

async function cancelBackend(options: PostgresBackendOptions, login: Login, running: PoolClient): Promise<void> {
  const processId: unknown = Reflect.get(running, "processID");
  const client = new Client(clientConfig(options, login));
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select pg_cancel_backend($1)", [processId]);
  } catch {
    // Not cancelled: the job ends by itself and its transaction is rolled back all the same.
  } finally {
    await client.end().catch(() => undefined);
  }
}

function backendErrorOf(error: unknown): BackendError {
  if (error instanceof ResultTooLarge) return { reason: "too_large" };
  if (error instanceof DatabaseError) return { reason: "database", fields: databaseErrorFields(error) };
  return { reason: "unreachable" };
}
