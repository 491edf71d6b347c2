/**
 * Dictionaries that were trained on the user's texts: pieces of them stand in there. No pack is made with them from the first moment; packs that cannot be
 * read without are written anew, and then the dictionaries go.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  clearDictionaries,
  countDictionariesOf,
  demoteDictionariesOf,
  dictionaryCountRowSchema,
  dictionaryIdRowSchema,
  selectPacksWith,
} from "../../db/queries/dictionaries.ts";
import { packRowSchema, type RegisteredPack, replacePacks } from "../../db/queries/packs.ts";
import { forgetUnneeded } from "../dictionaries/remove-dictionaries.ts";
import { dictionaryKey } from "../dictionaries/dictionary-object.ts";
import { withoutDictionary } from "../packs/recompress-pack.ts";
import { register } from "../packs/register.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { type Erasure, type EraseUserContext, noteFound, type StepResult } from "./erasure.ts";

/** A pack is read and written as a whole. */
const UNITS_PER_REWRITE = 40;
const PACKS_PER_PAGE = 20;

/** Goes on with the packs that are left, whatever interrupted it. */
export async function eraseUserDictionaries(context: EraseUserContext, erasure: Erasure): Promise<StepResult> {
  const { tenantId } = erasure;
  const scope = { tenantId, userId: "*" };
  erasure.budget.spend();
  const demoted = await context.sql.transaction(scope, [demoteDictionariesOf(erasure)]);
  if (!demoted.ok) return err(problemOfSql(demoted.error));
  const ids = (demoted.value[0] ?? []).map((row) => dictionaryIdRowSchema.parse(row).dictionary_id);
  if (ids.length === 0) return ok({ done: true });
  for (;;) {
    const found = await context.sql.transaction(scope, [selectPacksWith(tenantId, ids, PACKS_PER_PAGE)], {
      readOnly: true,
    });
    if (!found.ok) return err(problemOfSql(found.error));
    const packs = (found.value[0] ?? []).map((row) => packRowSchema.parse(row));
    if (packs.length === 0) break;
    for (const pack of packs) {
      if (erasure.budget.isSpent()) return ok({ done: false });
      erasure.budget.spend(UNITS_PER_REWRITE);
      const replaced = await replace(context, tenantId, pack);
      if (!replaced.ok || !replaced.value.done) return replaced;
    }
  }
  return remove(context, erasure, ids);
}

async function replace(context: EraseUserContext, tenantId: string, pack: RegisteredPack): Promise<StepResult> {
  const written = await withoutDictionary(context, { tenantId, pack });
  if (!written.ok) return err(storageUnavailable());
  const { row, moved } = written.value;
  const statements = replacePacks(tenantId, [pack.artifact_id], { pack: row, moved });
  const registered = await register(context, { tenantId, pack: written.value }, { statements, answerAt: 1 });
  // Another process has written it anew meanwhile: what it made is met by the next look.
  if (!registered.ok)
    return registered.error.code === "packs_changed" ? ok({ done: false }) : err(storageUnavailable());
  return deleted(context, [pack.object_key]);
}

/** From the registry first, behind the lock of packs: none is registered any more that needs them. At once, snapshots or not. */
async function remove(context: EraseUserContext, erasure: Erasure, ids: readonly string[]): Promise<StepResult> {
  const { tenantId } = erasure;
  const forgotten = await forgetUnneeded(context, tenantId, ids);
  if (!forgotten.ok) return err(storageUnavailable());
  const gone = await deleted(
    context,
    forgotten.value.map((id) => dictionaryKey(tenantId, id)),
  );
  if (!gone.ok) return gone;
  const cleared = await context.sql.transaction(
    { tenantId, userId: "*" },
    clearDictionaries(tenantId, forgotten.value),
  );
  if (!cleared.ok) return err(problemOfSql(cleared.error));
  noteFound(erasure, "dictionaries", forgotten.value.length);
  return ok({ done: forgotten.value.length === ids.length });
}

async function deleted({ bucket }: EraseUserContext, keys: readonly string[]): Promise<StepResult> {
  try {
    await bucket.delete([...keys]);
    return ok({ done: true });
  } catch {
    return err(storageUnavailable());
  }
}

/** Dictionaries that are left with the user's texts. */
export async function countUserDictionaries(
  { sql }: Pick<EraseUserContext, "sql">,
  erasure: Erasure,
): Promise<Result<number, Problem>> {
  const scope = { tenantId: erasure.tenantId, userId: "*" };
  const rows = await sql.transaction(scope, [countDictionariesOf(erasure)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  return ok(dictionaryCountRowSchema.parse(rows.value[0]?.[0]).dictionary_count);
}
