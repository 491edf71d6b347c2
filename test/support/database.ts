/** A migrated database of its own for a test file, behind a real `/sql` endpoint, for the real driver. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { readMigrationFiles } from "../../src/cli/schema/migration-files.ts";
import type { Result } from "../../src/lib/base/result.ts";
import { createNeonSql } from "../../src/lib/db/neon-sql.ts";
import { runMigrations } from "../../src/lib/db/run-migrations.ts";
import type { Row, Sql, SqlError, Statement } from "../../src/lib/db/sql.ts";
import { startPgliteServer } from "../../src/stack/postgres/pglite-server.ts";
import type { PgliteServer } from "../../src/stack/postgres/pglite-server.ts";
import type { PostgresServer } from "../../src/stack/postgres/server-process.ts";
import type { SqlBackend } from "../../src/stack/sql-endpoint/backend.ts";
import type { FaultPlan } from "../../src/stack/sql-endpoint/faults.ts";
import { createPgliteBackend } from "../../src/stack/sql-endpoint/pglite-backend.ts";
import { createPostgresBackend } from "../../src/stack/sql-endpoint/postgres-backend.ts";
import { startSqlEndpoint } from "../../src/stack/sql-endpoint/sql-endpoint.ts";
import { CACHE_FOLDER, MIGRATIONS_FOLDER, startServer } from "./postgres-servers.ts";
import type { ServerBackend, TestBackend } from "./postgres-servers.ts";

export interface TestDatabaseOptions {
  readonly backend: TestBackend;
  readonly faults?: FaultPlan;
  /** False gives an empty database instead of a migrated one. */
  readonly isMigrated?: boolean;
  /** Connections of the endpoint per login, on a server. */
  readonly connectionsMax?: number;
  readonly timeoutMs?: number;
}

export interface TestDatabase {
  /** As `jeeves_app`, under row-level security. */
  readonly sql: Sql;
  /** As the superuser, who sees everything. */
  readonly ownerSql: Sql;
  readonly endpointUrl: string;
  /** Of `jeeves_app`. */
  readonly connectionString: string;
  readonly ownerConnectionString: string;
  close(): Promise<void>;
}

const TIMEOUT_MS = 60_000;
const APP_USER = "jeeves_app";
const APP_PASSWORD = randomUUID();

/** Opens it. PGlite: 0.6 s from a cached template. Servers: one per process, 1.5 s, then a cloned database each. */
export async function openTestDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const place =
    options.backend === "native" || options.backend === "debian"
      ? await openOnServer(options.backend, options.isMigrated !== false, options.connectionsMax)
      : await openOnPglite(options.backend, options.isMigrated !== false);
  const endpoint = await startSqlEndpoint({
    backend: place.backend,
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  const sqlOf = (connectionString: string): Sql =>
    createNeonSql({ connectionString, fetchEndpoint: endpoint.url, timeoutMs: options.timeoutMs ?? TIMEOUT_MS });
  return {
    sql: sqlOf(place.appConnectionString),
    ownerSql: sqlOf(place.ownerConnectionString),
    endpointUrl: endpoint.url,
    connectionString: place.appConnectionString,
    ownerConnectionString: place.ownerConnectionString,
    async close() {
      await endpoint.close();
      await place.backend.close();
      await place.close();
    },
  };
}

interface Place {
  readonly backend: SqlBackend;
  readonly appConnectionString: string;
  readonly ownerConnectionString: string;
  close(): Promise<void>;
}

async function openOnPglite(backend: "pglite" | "jsonb", isMigrated: boolean): Promise<Place> {
  const hasVector = backend === "pglite";
  const template = await pgliteTemplate(hasVector, isMigrated);
  const server = expectOk(await startPgliteServer({ hasVector, template }));
  return {
    backend: createPgliteBackend(server.database),
    appConnectionString: server.connectionString(APP_USER),
    ownerConnectionString: server.connectionString("postgres"),
    close: () => server.close(),
  };
}

/** A dump of a booted instance, kept under a name made of everything that goes into it. */
async function pgliteTemplate(hasVector: boolean, isMigrated: boolean): Promise<Blob> {
  const hash = createHash("sha256")
    .update(await packageVersions())
    .update(`${hasVector} ${isMigrated}`);
  if (isMigrated) hash.update(JSON.stringify(await readMigrationFiles(MIGRATIONS_FOLDER)));
  const path = join(CACHE_FOLDER, `pglite-${hash.digest("hex").slice(0, 16)}.tar`);
  if (!existsSync(path)) {
    const server = expectOk(await startPgliteServer({ hasVector }));
    if (isMigrated) await migratePglite(server);
    const dump = await server.database.dumpDataDir("none");
    await server.close();
    await mkdir(CACHE_FOLDER, { recursive: true });
    const partial = `${path}.${process.pid}`;
    await writeFile(partial, Buffer.from(await dump.arrayBuffer()));
    await rename(partial, path);
    await pruneTemplates();
  }
  return new Blob([await readFile(path)]);
}

/** 42 MB each: those of earlier migrations go, oldest first. */
const TEMPLATES_MAX = 8;

async function pruneTemplates(): Promise<void> {
  const names = (await readdir(CACHE_FOLDER)).filter((name) => /^pglite-[0-9a-f]{16}\.tar$/.test(name));
  const aged = await Promise.all(
    names.map(async (name) => ({
      path: join(CACHE_FOLDER, name),
      atMs: (await stat(join(CACHE_FOLDER, name))).mtimeMs,
    })),
  );
  aged.sort((a, b) => b.atMs - a.atMs);
  for (const { path } of aged.slice(TEMPLATES_MAX)) await rm(path, { force: true });
}

async function packageVersions(): Promise<string> {
  const lock = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return lock
    .split("\n")
    .filter((line) => line.includes("@electric-sql/"))
    .join();
}

async function migratePglite(server: PgliteServer): Promise<void> {
  const endpoint = await startSqlEndpoint({ backend: createPgliteBackend(server.database) });
  await migrateDatabase(server.connectionString("postgres"), endpoint.url);
  await endpoint.close();
}

/** Applies the project's migrations as the owner. */
async function migrateDatabase(connectionString: string, fetchEndpoint: string): Promise<void> {
  expectOk(
    await runMigrations({
      sql: createNeonSql({ connectionString, fetchEndpoint, timeoutMs: TIMEOUT_MS }),
      files: await readMigrationFiles(MIGRATIONS_FOLDER),
      holder: randomUUID(),
      sleep: (delayMs) => setTimeout(delayMs),
    }),
  );
}

const TEMPLATE_DATABASE = "jeeves_template";
const servers = new Map<ServerBackend, Promise<PostgresServer>>();

/** One server per process, which ends with the process; databases are cloned from a migrated one. */
async function openOnServer(kind: ServerBackend, isMigrated: boolean, connectionsMax?: number): Promise<Place> {
  const started = servers.get(kind) ?? startMigratedServer(kind);
  servers.set(kind, started);
  const server = await started;
  const database = `test_${randomUUID().replaceAll("-", "")}`;
  const template = isMigrated ? TEMPLATE_DATABASE : "template0";
  await onServer(server, "postgres", [`create database ${database} template ${template}`]);
  return {
    backend: createPostgresBackend({ ...server, ...(connectionsMax === undefined ? {} : { connectionsMax }) }),
    appConnectionString: server.connectionString({ user: APP_USER, password: APP_PASSWORD, database }),
    ownerConnectionString: server.connectionString({ database }),
    close: () => onServer(server, "postgres", [`drop database ${database} with (force)`]),
  };
}

async function startMigratedServer(kind: ServerBackend): Promise<PostgresServer> {
  const server = await startServer(kind);
  await onServer(server, "postgres", [`create database ${TEMPLATE_DATABASE}`]);
  const backend = createPostgresBackend(server);
  const endpoint = await startSqlEndpoint({ backend });
  await migrateDatabase(server.connectionString({ database: TEMPLATE_DATABASE }), endpoint.url);
  await endpoint.close();
  await backend.close();
  await onServer(server, "postgres", [`alter role ${APP_USER} password '${APP_PASSWORD}'`]);
  return server;
}

async function onServer(server: PostgresServer, database: string, texts: readonly string[]): Promise<void> {
  const backend = createPostgresBackend(server);
  for (const text of texts) {
    const done = await backend.run({
      login: { user: server.superuser, password: server.password, database },
      statements: [{ text, params: [] }],
      signal: new AbortController().signal,
      resultSizeMax: 1_000_000,
    });
    if (!done.ok) throw new Error(JSON.stringify(done.error));
  }
  await backend.close();
}

/** The value of a result that has to be a success; otherwise throws with everything the error knows. */
export function expectOk<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  throw new Error(`expected success, got ${JSON.stringify(result.error)}`, { cause: causeOf(result.error) });
}

function causeOf(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return error;
  if ("sqlError" in error) return causeOf(error.sqlError);
  return "cause" in error ? error.cause : error;
}

/** Shorthand for a statement in tests. */
export function statement(text: string, ...params: readonly unknown[]): Statement {
  return { text, params };
}

/** Rows of the last statement of a transaction that has to succeed. */
export async function rowsIn(
  sql: Sql,
  scope: { readonly tenantId: string; readonly userId: string },
  ...statements: readonly Statement[]
): Promise<readonly Row[]> {
  return expectOk(await sql.transaction(scope, statements)).at(-1) ?? [];
}

/** The error of a result that has to be a failure. */
export function expectError(result: Result<unknown, SqlError>): SqlError {
  if (!result.ok) return result.error;
  throw new Error("expected a failure, got a success");
}
