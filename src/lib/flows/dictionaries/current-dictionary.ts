import type { R2Bucket } from "@cloudflare/workers-types";
import { ok, type Result } from "../../base/result.ts";
import { dictionaryIdRowSchema, selectCurrentDictionary } from "../../db/queries/dictionaries.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import type { ZstdDictionary } from "../../zstd/zstd-dictionary.ts";
import { type DictionaryObjectError, readDictionary } from "./dictionary-object.ts";

/** The dictionary that a tenant's next packs are made with; null: they are made without one. */
export async function currentDictionary(
  context: { readonly sql: Sql; readonly bucket: Pick<R2Bucket, "get"> },
  tenantId: string,
): Promise<Result<ZstdDictionary | null, SqlError | DictionaryObjectError>> {
  const scope = { tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [selectCurrentDictionary(tenantId)], { readOnly: true });
  if (!rows.ok) return rows;
  const row = rows.value[0]?.[0];
  if (row === undefined) return ok(null);
  return readDictionary(context.bucket, tenantId, dictionaryIdRowSchema.parse(row).dictionary_id);
}
