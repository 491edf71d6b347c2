import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readMigrationFiles } from "../../../src/cli/schema/migration-files.ts";
import { createNeonSql } from "../../../src/lib/db/neon-sql.ts";
import { runMigrations } from "../../../src/lib/db/run-migrations.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import { appConnectionString } from "../../../src/stack/app-login.ts";
import { nativeBinFolder } from "../../../src/stack/postgres/native-server.ts";
import { startServerProcess } from "../../../src/stack/postgres/server-process.ts";
import { createPostgresBackend } from "../../../src/stack/sql-endpoint/postgres-backend.ts";
import { startSqlEndpoint } from "../../../src/stack/sql-endpoint/sql-endpoint.ts";
import { expectOk } from "../../support/database.ts";
import { CACHE_FOLDER, MIGRATIONS_FOLDER } from "../../support/postgres-servers.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";

/** PostgreSQL with pgvector behind the `/sql` endpoint, which can cut connections after their commit. */
export interface DatabasePart {
  readonly ownerSql: Sql;
  /** Of the Workers' role. */
  readonly connectionString: string;
  readonly endpointUrl: string;
  /** Share of requests whose reply is lost after they have committed. */
  cutShare: number;
  cutCount: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * What was committed is there after a kill: as in production, and unlike a test server's defaults. The log stays small, since the disk is.
 * Nothing is flushed to a device: processes are killed here, not machines.
 */
const SETTINGS = [
  "synchronous_commit=on",
  "full_page_writes=on",
  "max_wal_size=64MB",
  "min_wal_size=32MB",
  "shared_buffers=32MB",
];
const TIMEOUT_MS = 60_000;

export async function startDatabasePart(parentFolder: string, random: SeededRandom): Promise<DatabasePart> {
  const binFolder = expectOk(await nativeBinFolder(CACHE_FOLDER));
  const server = await startServerProcess({ binFolder, settings: SETTINGS, parentFolder });
  const backend = createPostgresBackend(server);
  const endpoint = await startSqlEndpoint({
    backend,
    faults: () => {
      if (part.cutShare === 0 || random.next() >= part.cutShare) return undefined;
      part.cutCount += 1;
      return { kind: "drop_after_commit" };
    },
  });
  const connectionString = server.connectionString();
  const ownerSql = createNeonSql({ connectionString, fetchEndpoint: endpoint.url, timeoutMs: TIMEOUT_MS });
  const part: DatabasePart = {
    ownerSql,
    connectionString: "",
    endpointUrl: endpoint.url,
    cutShare: 0,
    cutCount: 0,
    kill: () => server.crash(),
    start: () => server.restart(),
    stop: async () => {
      await endpoint.close();
      await backend.close();
      await server.stop();
    },
  };
  const files = await readMigrationFiles(MIGRATIONS_FOLDER);
  expectOk(await runMigrations({ sql: ownerSql, files, holder: randomUUID(), sleep: (delayMs) => sleep(delayMs) }));
  const database = {
    kind: "postgres" as const,
    connectionString,
    fetchEndpoint: endpoint.url,
    close: () => part.stop(),
  };
  return Object.assign(part, { connectionString: await appConnectionString(database, ownerSql) });
}
