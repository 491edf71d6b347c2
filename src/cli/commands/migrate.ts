/** `npm run migrate`: brings the database behind `DATABASE_URL` up to date. */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { err } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import { createNeonSql } from "../../lib/db/neon-sql.ts";
import { runMigrations } from "../../lib/db/run-migrations.ts";
import type { MigrationError, MigrationOutcome } from "../../lib/db/run-migrations.ts";
import { openDatabase } from "../../stack/postgres/open-database.ts";
import { readMigrationFiles } from "../schema/migration-files.ts";

export interface MigrateOptions {
  /** `pglite:<folder>`, `postgresql://…` of any server, or of Neon; its user owns the schema. */
  readonly databaseUrl: string;
  /** A running `/sql` endpoint to use instead, for a PGlite that another process holds. */
  readonly fetchEndpoint?: string | undefined;
  readonly migrationsFolder: string;
  readonly print: (line: string) => void;
}

export interface MigrateError {
  readonly code: MigrationError["code"] | "database_url_invalid";
  readonly message: string;
}

/** For reading the version table; batches have their own, longer time. */
const TIMEOUT_MS = 30_000;

/** Applies what is pending and says so line by line. Errors carry one sentence for the operator, without secrets. */
export async function migrate(options: MigrateOptions): Promise<Result<MigrationOutcome, MigrateError>> {
  if (options.fetchEndpoint !== undefined) {
    return migrateAt({ connectionString: options.databaseUrl, fetchEndpoint: options.fetchEndpoint }, options);
  }
  const database = await openDatabase(options.databaseUrl);
  if (!database.ok) return err({ code: "database_url_invalid", message: database.error });
  try {
    return await migrateAt(database.value, options);
  } finally {
    await database.value.close();
  }
}

async function migrateAt(
  at: { readonly connectionString: string; readonly fetchEndpoint: string | undefined },
  { migrationsFolder, print }: MigrateOptions,
): Promise<Result<MigrationOutcome, MigrateError>> {
  const outcome = await runMigrations({
    sql: createNeonSql({
      connectionString: at.connectionString,
      ...(at.fetchEndpoint === undefined ? {} : { fetchEndpoint: at.fetchEndpoint }),
      timeoutMs: TIMEOUT_MS,
    }),
    files: await readMigrationFiles(migrationsFolder),
    holder: randomUUID(),
    sleep: (delayMs) => setTimeout(delayMs),
    onApplied: ({ version, name }) => print(`applied ${String(version).padStart(4, "0")}_${name}`),
    onWaiting: () => print("another run holds the lease of this migration, waiting"),
  });
  if (!outcome.ok) return outcome;
  const { applied, variant } = outcome.value;
  print(`${applied.length === 0 ? "nothing to do" : `${applied.length} applied`}, vectors as ${variant}`);
  return outcome;
}
