/** Entry of `npm run schema`: migrates an empty PGlite and writes its schema to migrations/schema.sql. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createNeonSql } from "../../lib/db/neon-sql.ts";
import { openDatabase } from "../../stack/postgres/open-database.ts";
import { migrate } from "../commands/migrate.ts";
import { PROJECT_FOLDER } from "../project-folder.ts";
import { schemaText } from "./schema-text.ts";

const TIMEOUT_MS = 60_000;
const migrationsFolder = join(PROJECT_FOLDER, "migrations");

const database = await openDatabase("pglite:memory");
if (!database.ok) throw new Error(database.error);
const { connectionString, fetchEndpoint } = database.value;
const migrated = await migrate({
  databaseUrl: connectionString,
  fetchEndpoint,
  migrationsFolder,
  print: () => undefined,
});
if (!migrated.ok) throw new Error(migrated.error.message);
const text = await schemaText(
  createNeonSql({ connectionString, ...(fetchEndpoint === undefined ? {} : { fetchEndpoint }), timeoutMs: TIMEOUT_MS }),
);
if (!text.ok) throw new Error(text.error.code, { cause: text.error.cause });
await writeFile(`${migrationsFolder}/schema.sql`, text.value);
await database.value.close();
