import { err, ok, type Result } from "../../base/result.ts";
import {
  clearDictionaries,
  dictionaryIdRowSchema,
  forgetDictionaries,
  selectUnneededDictionaries,
} from "../../db/queries/dictionaries.ts";
import type { PackContext, PackFailure } from "../packs/context.ts";
import { removeObjects } from "../snapshots/remove-objects.ts";
import { dictionaryKey } from "./dictionary-object.ts";

type RemovalContext = Pick<PackContext, "sql" | "bucket" | "clock" | "newUlid">;

/**
 * Removes dictionaries that are not current and that no registered pack needs; returns how many. A snapshot that names them, as it names the packs that needed
 * them, keeps the objects. What dies in between is met again.
 */
export async function removeUnneeded(
  context: RemovalContext,
  tenantId: string,
  isDryRun: boolean,
): Promise<Result<number, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const found = await context.sql.transaction(scope, [selectUnneededDictionaries(tenantId)], { readOnly: true });
  if (!found.ok) return err({ code: found.error.code });
  const unneeded = (found.value[0] ?? []).map((row) => dictionaryIdRowSchema.parse(row).dictionary_id);
  if (unneeded.length === 0 || isDryRun) return ok(unneeded.length);
  const forgotten = await forgetUnneeded(context, tenantId, unneeded);
  if (!forgotten.ok) return forgotten;
  const keys = forgotten.value.map((id) => dictionaryKey(tenantId, id));
  const removed = await removeObjects(context, keys, "no pack needs it");
  if (!removed.ok) return err({ code: removed.error.code });
  const cleared = await context.sql.transaction(scope, clearDictionaries(tenantId, forgotten.value));
  return cleared.ok ? ok(forgotten.value.length) : err({ code: cleared.error.code });
}

/** Those of them that no registered pack needs: none is registered any more that does, and their objects may go. */
export async function forgetUnneeded(
  { sql }: Pick<RemovalContext, "sql">,
  tenantId: string,
  dictionaryIds: readonly string[],
): Promise<Result<readonly string[], PackFailure>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, forgetDictionaries(tenantId, dictionaryIds));
  if (!rows.ok) return err({ code: rows.error.code });
  return ok((rows.value[2] ?? []).map((row) => dictionaryIdRowSchema.parse(row).dictionary_id));
}
