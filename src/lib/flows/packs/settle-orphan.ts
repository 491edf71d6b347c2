import type { R2Object } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import {
  type PackMember,
  registeredRowSchema,
  registerPack,
  selectUncoveredWal,
  uncoveredRowSchema,
} from "../../db/queries/packs.ts";
import { walKey } from "../../wal/wal-key.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { openTenantPack } from "./open-tenant-pack.ts";
import { memberOf } from "./pack-records.ts";
import { artifactIdOf, sha256Of } from "./write-pack.ts";

/** WAL objects that one pack is looked for in: one head each. */
const HEADS_MAX = 5_000;

/**
 * What becomes of a pack that nobody registered. `adopted`: it is whole, and each of its records is the version of its document that holds and is in no
 * other pack: it is registered now. `covered`: nothing is lost with it. `kept`: it may hold what is nowhere else, or cannot be read.
 */
export async function settleOrphan(
  context: PackContext,
  tenantId: string,
  { key, size: sizeBytes }: R2Object,
): Promise<Result<"adopted" | "covered" | "kept", PackFailure>> {
  const opened = await openTenantPack(context, { tenantId, key, sizeBytes });
  if (!opened.ok) return opened.error.code === "storage_unavailable" ? err({ code: opened.error.code }) : ok("kept");
  const { footer } = opened.value;
  const members: PackMember[] = [];
  for (const block of footer.blocks.keys()) {
    const records = await opened.value.readBlock(block);
    if (!records.ok)
      return records.error.code === "storage_unavailable" ? err({ code: records.error.code }) : ok("kept");
    for (const record of records.value) members.push(memberOf(record, members.length));
  }
  const sha256Hex = await sha256Of(context.bucket, { key, sizeBytes });
  const row = {
    artifactId: artifactIdOf(key),
    objectKey: key,
    sizeBytes,
    sha256Hex,
    recordCount: members.length,
    dictionaryId: footer.dictionaryId,
    fingerprint: footer.vectors?.fingerprint ?? null,
  };
  const scope = { tenantId, userId: "*" };
  const statements = registerPack(tenantId, row, { members, mustHold: true });
  const registered = await context.sql.transaction(scope, statements);
  if (!registered.ok) return err({ code: registered.error.code });
  if (registeredRowSchema.parse(registered.value.at(-1)?.[0]).added) return ok("adopted");
  const rows = await context.sql.transaction(scope, [selectUncoveredWal(tenantId, members)], { readOnly: true });
  if (!rows.ok) return err({ code: rows.error.code });
  const walIds = (rows.value[0] ?? []).map((uncovered) => uncoveredRowSchema.parse(uncovered).wal_id);
  if (walIds.length > HEADS_MAX) return ok("kept");
  for (const walId of walIds) if ((await context.bucket.head(walKey(tenantId, walId))) === null) return ok("kept");
  return ok("covered");
}
