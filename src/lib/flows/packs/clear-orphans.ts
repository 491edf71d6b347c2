/** What runs that died left of packs: objects that nobody registered, and parts that were written beside. */
import type { R2Object } from "@cloudflare/workers-types";
import { MINUTE_MS } from "../../base/durations.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { KEYS_PER_CALL, listObjects, listPages } from "../../bucket/list-objects.ts";
import { packRowSchema, type RegisteredPack, selectPacksAt } from "../../db/queries/packs.ts";
import { removalKey } from "../snapshots/removal-marker.ts";
import type { PackContext, PackFailure, PackReadContext } from "./context.ts";
import { stagingPrefix } from "./pack-upload.ts";
import { settleOrphan } from "./settle-orphan.ts";
import { noteFailure } from "./tally.ts";
import type { TenantRun } from "./tenant-run.ts";

/**
 * An object that is as old, milliseconds, is not being made any more: an invocation of the platform lasts 15 minutes at most, and what writes a pack
 * registers it in the same one.
 */
export const ABANDONED_MS = 20 * MINUTE_MS;

export function packsPrefix(tenantId: string): string {
  return `packs/${tenantId}/`;
}

/**
 * Completes or clears what was abandoned. A whole pack whose records all hold is registered after all. Another one goes if everything in it is also somewhere
 * else or does not hold any more, and stays otherwise (`pack_unclaimed`): after a restore of the store it may be all that there is. Former packs that stay for
 * a snapshot have a marker of removal and are left alone. Rejects when R2 fails.
 */
export async function clearOrphans(context: PackContext, run: TenantRun): Promise<Result<void, PackFailure>> {
  const nowMs = context.clock();
  const isAbandoned = ({ uploaded }: R2Object): boolean => nowMs - uploaded.getTime() >= ABANDONED_MS;
  const orphans: string[] = [];
  for await (const object of listObjects(context.bucket, { prefix: stagingPrefix(run.tenantId) }))
    if (isAbandoned(object)) orphans.push(object.key);
  for await (const page of listPages(context.bucket, { prefix: packsPrefix(run.tenantId) })) {
    const registered = await registeredAt(context, run.tenantId, page);
    if (!registered.ok) return registered;
    for (const object of page) {
      if (!isAbandoned(object) || registered.value.has(object.key)) continue;
      if ((await context.bucket.head(removalKey(object.key))) !== null) continue;
      const settled = run.isDryRun ? ok("kept" as const) : await settleOrphan(context, run.tenantId, object);
      if (!settled.ok) return settled;
      if (settled.value === "covered") orphans.push(object.key);
      else if (settled.value === "adopted") run.tally.adoptedPackCount += 1;
      else if (!run.isDryRun) noteFailure(run.tally, "pack_unclaimed");
    }
  }
  if (!run.isDryRun)
    for (let from = 0; from < orphans.length; from += KEYS_PER_CALL)
      await context.bucket.delete(orphans.slice(from, from + KEYS_PER_CALL));
  run.tally.orphanCount += orphans.length;
  return ok(undefined);
}

/** Those of the objects that are registered packs, by key. */
export async function registeredAt(
  { sql }: Pick<PackReadContext, "sql">,
  tenantId: string,
  objects: readonly { readonly key: string }[],
): Promise<Result<ReadonlyMap<string, RegisteredPack>, PackFailure>> {
  if (objects.length === 0) return ok(new Map());
  const keys = objects.map(({ key }) => key);
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectPacksAt(tenantId, keys)], { readOnly: true });
  if (!rows.ok) return err({ code: rows.error.code });
  const packs = (rows.value[0] ?? []).map((row) => packRowSchema.parse(row));
  return ok(new Map(packs.map((pack) => [pack.object_key, pack])));
}
