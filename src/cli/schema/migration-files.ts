import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MigrationFile } from "../../lib/db/migrate.ts";

/** The migrations of a folder: every `.sql` file that begins with a digit (`schema.sql` is generated, not applied). */
export async function readMigrationFiles(folder: string): Promise<readonly MigrationFile[]> {
  const fileNames = (await readdir(folder)).filter((name) => /^\d.*\.sql$/.test(name)).sort();
  return Promise.all(
    fileNames.map(async (fileName) => ({ fileName, text: await readFile(join(folder, fileName), "utf8") })),
  );
}
