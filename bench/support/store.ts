import { mkdtemp } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { keysContext } from "../../src/cli/keys-context.ts";
import { readMigrationFiles } from "../../src/cli/schema/migration-files.ts";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { createNeonSql } from "../../src/lib/db/neon-sql.ts";
import { runMigrations } from "../../src/lib/db/run-migrations.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { createKey, createTenant } from "../../src/lib/flows/keys/manage-keys.ts";
import { appConnectionString } from "../../src/stack/app-login.ts";
import { openDatabase } from "../../src/stack/postgres/open-database.ts";

const SQL_TIMEOUT_MS = 60_000;
const KEY_LIFETIME_MS = 6 * HOUR_MS;

/** A migrated store without the rest of the stack. */
export interface BenchStore {
  readonly ownerSql: Sql;
  /** Of the Workers' role. */
  readonly appUrl: string;
  readonly fetchEndpoint: string | undefined;
  close(): Promise<void>;
}

export async function openBenchStore(databaseUrl: string): Promise<BenchStore> {
  const database = await openDatabase(databaseUrl);
  if (!database.ok) throw new Error(database.error);
  const { connectionString, fetchEndpoint } = database.value;
  const ownerSql = createNeonSql({
    connectionString,
    timeoutMs: SQL_TIMEOUT_MS,
    ...(fetchEndpoint === undefined ? {} : { fetchEndpoint }),
  });
  const files = await readMigrationFiles(join(PROJECT_FOLDER, "migrations"));
  const migrated = await runMigrations({
    sql: ownerSql,
    files,
    holder: randomUUID(),
    sleep: (delayMs) => sleep(delayMs),
  });
  if (!migrated.ok) throw new Error(migrated.error.message);
  const appUrl = await appConnectionString(database.value, ownerSql);
  return { ownerSql, appUrl, fetchEndpoint, close: () => database.value.close() };
}

/** A new tenant with a key that may do everything, also what concerns all tenants. */
export async function createBenchKey(ownerSql: Sql, tenantId: string): Promise<string> {
  await createTenant(ownerSql, tenantId, "Bench");
  const key = await createKey(keysContext(ownerSql), {
    tenantId,
    userId: "",
    scopes: ["ingest", "search", "admin", "operator"],
    label: "bench",
    expiresAtMs: Date.now() + KEY_LIFETIME_MS,
  });
  if (!key.ok) throw new Error(`no key could be made: ${key.error.code}`);
  return key.value.key;
}

/** An empty folder in the system's place for temporary files. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "jeeves-bench-"));
}
