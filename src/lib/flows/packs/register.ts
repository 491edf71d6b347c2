import { err, ok, type Result } from "../../base/result.ts";
import { registeredRowSchema } from "../../db/queries/packs.ts";
import type { Statement } from "../../db/sql.ts";
import type { PackContext, PackFailure } from "./context.ts";
import type { WrittenPack } from "./write-pack.ts";

/** What the last but `after` statement of a registration said. */
type Refusal = "user_erased" | "packs_changed";

/**
 * Registers a written pack by these statements. Where the store refuses, because a user was erased or other packs have come or gone since, the object is
 * deleted: nobody knows of it. After an error whose effect is unknown it stays, and either is registered or goes as an orphan.
 */
export async function register(
  context: Pick<PackContext, "sql" | "bucket">,
  { tenantId, pack }: { readonly tenantId: string; readonly pack: WrittenPack },
  { statements, answerAt }: { readonly statements: readonly Statement[]; readonly answerAt: number },
): Promise<Result<{ readonly memberCount: number }, PackFailure>> {
  const rows = await context.sql.transaction({ tenantId, userId: "*" }, statements);
  if (!rows.ok) return err({ code: rows.error.code });
  const answer = registeredRowSchema.parse(rows.value[answerAt]?.[0]);
  if (answer.added) return ok({ memberCount: answer.member_count });
  const code: Refusal = answer.erased ? "user_erased" : "packs_changed";
  try {
    await context.bucket.delete(pack.row.objectKey);
  } catch {
    // An orphan goes with the next run.
  }
  return err({ code });
}
