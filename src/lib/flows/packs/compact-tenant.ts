/** Keeps packs few and full: those of which most holds no more are written anew, small ones together. */
import { err, ok, type Result } from "../../base/result.ts";
import {
  deletePacks,
  type PackState,
  packStateRowSchema,
  positionRowSchema,
  replacePacks,
  selectLivePositions,
  selectPacks,
} from "../../db/queries/packs.ts";
import { currentDictionary } from "../dictionaries/current-dictionary.ts";
import { removeObjects } from "../snapshots/remove-objects.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { register } from "./register.ts";
import { mergePacks } from "./rewrite-pack.ts";
import type { TenantRun } from "./tenant-run.ts";

/** Packs of a tenant that one run looks at. */
const PACKS_MAX = 1_000;
/** Part of the records that has to hold, so that a pack stays as it is. */
const LIVE_SHARE_MIN = 0.5;
/** Packs under this size are made one when there are so many of them: with four packs a day a tenant has one large one and a week of small ones. */
const SMALL_BYTES = 8 * 1024 * 1024;
const SMALL_PACKS_MIN = 8;
/** Of one merged pack: what it is made of lies in R2, one block of each in memory. */
const MERGED_PACKS_MAX = 16;
const MERGED_BYTES_MAX = 48 * 1024 * 1024;
const MERGED_RECORDS_MAX = 100_000;

/** One step of compaction after the other, until nothing is due or the run is spent. */
export async function compactTenant(context: PackContext, run: TenantRun): Promise<Result<boolean, PackFailure>> {
  const { tenantId } = run;
  const done = new Set<string>();
  for (;;) {
    const rows = await context.sql.transaction({ tenantId, userId: "*" }, [selectPacks(tenantId, PACKS_MAX)], {
      readOnly: true,
    });
    if (!rows.ok) return err({ code: rows.error.code });
    const packs = (rows.value[0] ?? []).map((row) => packStateRowSchema.parse(row));
    const due = dueForCompaction(packs).filter(({ artifact_id: id }) => !done.has(id));
    if (due.length === 0) return ok(true);
    const bytes = due.reduce((sum, pack) => sum + pack.size_bytes, 0);
    if (run.isSpent() || run.left.compactedBytes < bytes) return ok(false);
    run.left.compactedBytes -= bytes;
    run.tally.compactedPackCount += due.length;
    for (const { artifact_id: id } of due) done.add(id);
    if (run.isDryRun) continue;
    const compacted = await compact(context, tenantId, due);
    if (!compacted.ok) return compacted;
    if (!(await run.checkpoint())) return ok(false);
  }
}

/** Packs that become one, or none, in one step; none where nothing is due. Pure. */
export function dueForCompaction(packs: readonly PackState[]): readonly PackState[] {
  const stale = packs.find((pack) => pack.live_count < LIVE_SHARE_MIN * pack.record_count || pack.live_count === 0);
  if (stale !== undefined) return [stale];
  const small = packs.filter(({ size_bytes: size }) => size < SMALL_BYTES);
  if (small.length < SMALL_PACKS_MIN) return [];
  const merged: PackState[] = [];
  let [bytes, records] = [0, 0];
  for (const pack of small.slice(0, MERGED_PACKS_MAX)) {
    bytes += pack.size_bytes;
    records += pack.record_count;
    if (bytes > MERGED_BYTES_MAX || records > MERGED_RECORDS_MAX) break;
    merged.push(pack);
  }
  return merged.length > 1 ? merged : [];
}

async function compact(
  context: PackContext,
  tenantId: string,
  packs: readonly PackState[],
): Promise<Result<void, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const ids = packs.map(({ artifact_id: id }) => id);
  const statements = ids.map((id) => selectLivePositions(tenantId, id));
  const read = await context.sql.transaction(scope, statements, { readOnly: true });
  if (!read.ok) return err({ code: read.error.code });
  const live = read.value.map((rows) => new Set(rows.map((row) => positionRowSchema.parse(row).position)));
  if (live.every(({ size }) => size === 0)) {
    const deleted = await context.sql.transaction(scope, deletePacks(tenantId, ids));
    if (!deleted.ok) return err({ code: deleted.error.code });
  } else {
    const dictionary = await currentDictionary(context, tenantId);
    if (!dictionary.ok) return err({ code: dictionary.error.code });
    const sources = { tenantId, packs, dictionary: dictionary.value };
    const merged = await mergePacks(context, sources, (pack, position) => live[pack]?.has(position) === true);
    if (!merged.ok) return merged;
    const { row, moved } = merged.value;
    const replaced = await register(
      context,
      { tenantId, pack: merged.value },
      { statements: replacePacks(tenantId, ids, { pack: row, moved }), answerAt: 1 },
    );
    if (!replaced.ok) return replaced;
  }
  const keys = packs.map(({ object_key: key }) => key);
  const removed = await removeObjects(context, keys, "compacted");
  return removed.ok ? ok(undefined) : err({ code: removed.error.code });
}
