/** WAL objects of a tenant in their order, with how far each is applied and packed. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects, listPage } from "../../bucket/list-objects.ts";
import { selectWalStates, type WalState, walStateRowSchema } from "../../db/queries/packs.ts";
import { parseWalKey } from "../../wal/wal-key.ts";
import { removalKey } from "../snapshots/removal-marker.ts";
import type { PackFailure, PackReadContext } from "./context.ts";

export interface WalEntry {
  readonly key: string;
  readonly walId: string;
  readonly sizeBytes: number;
  readonly state: WalState;
  /** Every range has ended: was applied, or is dead. */
  readonly isEnded: boolean;
}

export interface WalPage {
  readonly entries: readonly WalEntry[];
  /** Nothing older than asked for lies behind this page. */
  readonly isLast: boolean;
  readonly lastKey: string;
}

export interface WalPageRequest {
  readonly tenantId: string;
  readonly startAfter: string;
  /** Only objects whose requests were accepted before. */
  readonly beforeMs: number;
  /** Leave out what was removed already and is kept for a snapshot. */
  readonly isWithoutRemoved: boolean;
}

/** One page of WAL objects that are old enough. Rejects when R2 fails. */
export async function readWalPage(
  context: Pick<PackReadContext, "sql" | "bucket">,
  { tenantId, startAfter, beforeMs, isWithoutRemoved }: WalPageRequest,
): Promise<Result<WalPage, PackFailure>> {
  const listed = await listPage(context.bucket, { prefix: `wal/${tenantId}/`, startAfter, isWithMetadata: true });
  const objects = listed.objects.flatMap((object) => {
    const walId = parseWalKey(object.key)?.walId;
    return walId === undefined ? [] : [{ object, walId }];
  });
  const old = objects.filter(({ walId }) => ulidTimeMs(walId) < beforeMs);
  const lastKey = listed.objects.at(-1)?.key ?? startAfter;
  const isLast = listed.next === undefined || old.length < objects.length;
  if (old.length === 0) return ok({ entries: [], isLast, lastKey });
  const removed = isWithoutRemoved ? await removedOf(context.bucket, { tenantId, startAfter, lastKey }) : new Set();
  const due = old.filter(({ object }) => !removed.has(object.key));
  const states = await readStates(
    context,
    tenantId,
    due.map(({ walId }) => walId),
  );
  if (!states.ok) return states;
  const entries = due.flatMap(({ object, walId }) => {
    const state = states.value.get(walId);
    if (state === undefined) return [];
    const isEnded = state.applied_count + state.dead_count >= Number(object.customMetadata?.["ranges"] ?? Infinity);
    return [{ key: object.key, walId, sizeBytes: object.size, state, isEnded }];
  });
  return ok({ entries, isLast, lastKey });
}

async function readStates(
  { sql }: Pick<PackReadContext, "sql">,
  tenantId: string,
  walIds: readonly string[],
): Promise<Result<ReadonlyMap<string, WalState>, PackFailure>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectWalStates(tenantId, walIds)], {
    readOnly: true,
  });
  if (!rows.ok) return err({ code: rows.error.code });
  const states = (rows.value[0] ?? []).map((row) => walStateRowSchema.parse(row));
  return ok(new Map(states.map((state) => [state.wal_id, state])));
}

/** Keys with a marker of removal, between two keys of WAL objects: markers sort as their objects do. */
async function removedOf(
  bucket: R2Bucket,
  {
    tenantId,
    startAfter,
    lastKey,
  }: { readonly tenantId: string; readonly startAfter: string; readonly lastKey: string },
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const prefix = removalKey(`wal/${tenantId}/`);
  const end = removalKey(lastKey);
  const after = startAfter === "" ? "" : removalKey(startAfter);
  for await (const { key } of listObjects(bucket, { prefix, startAfter: after })) {
    if (key <= end) keys.add(key.slice(removalKey("").length));
    if (key >= end) break;
  }
  return keys;
}
