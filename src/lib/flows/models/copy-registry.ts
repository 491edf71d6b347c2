import { err, ok, type Result } from "../../base/result.ts";
import { registryRowSchema, replaceRegistry, selectRegistry } from "../../db/queries/models.ts";
import { HOME_SHARD } from "../../db/shard-map.ts";
import type { Sql, SqlError } from "../../db/sql.ts";

/**
 * Copies the registry of models from the home database to every other one; needed after each change of it. Repeating it is harmless. An error
 * leaves some databases as they were: calling again completes it.
 */
export async function copyRegistry(databases: ReadonlyMap<string, Sql>): Promise<Result<void, SqlError>> {
  const home = databases.get(HOME_SHARD);
  if (home === undefined || databases.size === 1) return ok(undefined);
  const rows = await home.query(selectRegistry());
  if (!rows.ok) return err(rows.error);
  const { models } = registryRowSchema.parse(rows.value[0]);
  for (const [name, sql] of databases) {
    if (name === HOME_SHARD) continue;
    const written = await sql.transaction({ tenantId: "", userId: "" }, replaceRegistry(models));
    if (!written.ok) return err(written.error);
  }
  return ok(undefined);
}
