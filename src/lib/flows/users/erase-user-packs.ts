/** The user's texts in packs of the tenant: each pack that holds some is written anew without them, and the former one goes at once. */
import type { R2Object } from "@cloudflare/workers-types";
import type { PackReader } from "../../artifact/pack-reader.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects, listPages } from "../../bucket/list-objects.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import type { Problem } from "../../contract/problem.ts";
import { type RegisteredPack, replacePacks } from "../../db/queries/packs.ts";
import { ABANDONED_MS, packsPrefix, registeredAt } from "../packs/clear-orphans.ts";
import { openTenantPack } from "../packs/open-tenant-pack.ts";
import { stagingPrefix } from "../packs/pack-upload.ts";
import { register } from "../packs/register.ts";
import { rewritePack } from "../packs/rewrite-pack.ts";
import { storageUnavailable } from "../problem-of.ts";
import { type Erasure, type EraseUserContext, noteFound, noteUnreadable, type StepResult } from "./erasure.ts";

/** A pack is some reads for its blocks, and some calls more where it is written anew. */
const UNITS_PER_REWRITE = 40;

/**
 * Takes the user out of every pack of the tenant, from where the last request stopped. A pack that nobody has registered is either being made, and meets the
 * tombstone when it is to be registered, or was abandoned: it goes once it is old enough to tell.
 */
export async function eraseUserPacks(context: EraseUserContext, erasure: Erasure): Promise<StepResult> {
  try {
    const staged = await eraseStaged(context, erasure);
    if (!staged) return waiting(erasure);
    for await (const page of listPages(context.bucket, { prefix: packsPrefix(erasure.tenantId) })) {
      const registered = await registeredAt(context, erasure.tenantId, page);
      if (!registered.ok) return err(storageUnavailable());
      for (const object of page) {
        if (object.key <= erasure.progress.after) continue;
        if (erasure.budget.isSpent()) return ok({ done: false });
        erasure.budget.spend();
        const erased = await eraseFromPack(context, erasure, { object, pack: registered.value.get(object.key) });
        if (!erased.ok) return erased;
        if (!erased.value.done) return waiting(erasure);
        erasure.progress = { ...erasure.progress, after: object.key };
      }
    }
    return ok({ done: true });
  } catch {
    return err(storageUnavailable());
  }
}

/** Something is being made that may hold the user: the next request looks again. */
function waiting(erasure: Erasure): StepResult {
  erasure.budget.spend(Number.POSITIVE_INFINITY);
  return ok({ done: false });
}

/** How many records of the user are left in packs, and objects that are being made. */
export async function countUserPacks(context: EraseUserContext, erasure: Erasure): Promise<Result<number, Problem>> {
  try {
    let count = 0;
    for await (const object of listObjects(context.bucket, { prefix: packsPrefix(erasure.tenantId) })) {
      const left = await positionsIn(context, erasure, object);
      if (left === undefined) noteUnreadable(erasure);
      count += left?.size ?? 0;
    }
    for await (const page of listPages(context.bucket, { prefix: stagingPrefix(erasure.tenantId) }))
      count += page.length;
    return ok(count);
  } catch {
    return err(storageUnavailable());
  }
}

/** Removes what abandoned runs wrote beside; false: something there is being written. */
async function eraseStaged(context: EraseUserContext, erasure: Erasure): Promise<boolean> {
  for await (const object of listObjects(context.bucket, { prefix: stagingPrefix(erasure.tenantId) })) {
    if (!isAbandoned(context, object)) return false;
    await context.bucket.delete(object.key);
  }
  return true;
}

function isAbandoned({ clock }: Pick<EraseUserContext, "clock">, { uploaded }: R2Object): boolean {
  return clock() - uploaded.getTime() >= ABANDONED_MS;
}

interface PackObject {
  readonly object: R2Object;
  /** Undefined: nobody has registered it. */
  readonly pack: RegisteredPack | undefined;
}

async function eraseFromPack(
  context: EraseUserContext,
  erasure: Erasure,
  { object, pack }: PackObject,
): Promise<StepResult> {
  const erased = await positionsIn(context, erasure, object);
  // What is damaged is named by the recount.
  if (erased === undefined || erased.size === 0) return ok({ done: true });
  if (pack === undefined && !isAbandoned(context, object)) return ok({ done: false });
  erasure.budget.spend(UNITS_PER_REWRITE);
  const known = pack ?? {
    artifact_id: object.key,
    object_key: object.key,
    size_bytes: object.size,
    record_count: 0,
  };
  const { tenantId } = erasure;
  const rewritten = await rewritePack(context, { tenantId, pack: known }, (_, position) => !erased.has(position));
  if (!rewritten.ok) return err(storageUnavailable());
  if (pack !== undefined) {
    const { row, moved } = rewritten.value;
    const statements = replacePacks(tenantId, [pack.artifact_id], { pack: row, moved });
    const registered = await register(context, { tenantId, pack: rewritten.value }, { statements, answerAt: 1 });
    // Another process has written it anew meanwhile: what it made is met behind this one.
    if (!registered.ok)
      return registered.error.code === "packs_changed" ? ok({ done: false }) : err(storageUnavailable());
  }
  await context.bucket.delete(object.key);
  noteFound(erasure, "pack_texts", erased.size);
  return ok({ done: true });
}

/**
 * Places of the user's records that are old enough to go; undefined where the pack is damaged. Of a sorted one only the blocks are read that may hold the
 * user. Rejects when R2 fails.
 */
async function positionsIn(
  context: EraseUserContext,
  erasure: Erasure,
  { key, size: sizeBytes }: R2Object,
): Promise<ReadonlySet<number> | undefined> {
  const opened = await openTenantPack(context, { tenantId: erasure.tenantId, key, sizeBytes });
  if (!opened.ok) return unreadable(opened.error.code);
  const reader = opened.value;
  const positions = new Set<number>();
  let first = 0;
  for (const [block, { recordCount }] of reader.footer.blocks.entries()) {
    if (mayHold(reader, block, erasure.userId)) {
      const records = await reader.readBlock(block);
      if (!records.ok) return unreadable(records.error.code);
      for (const [index, record] of records.value.entries())
        if (isErased(record, erasure)) positions.add(first + index);
    }
    first += recordCount;
  }
  return positions;
}

function unreadable(code: string): undefined {
  if (code === "storage_unavailable") throw new Error(code);
  return undefined;
}

function mayHold({ footer }: PackReader, block: number, userId: string): boolean {
  if (!footer.isSorted) return true;
  const [own, next] = [footer.blocks[block], footer.blocks[block + 1]];
  return own !== undefined && own.firstUserId <= userId && (next === undefined || userId <= next.firstUserId);
}

/** A record whose version cannot be told is the user's all the same. */
function isErased(record: PackRecord, { userId, before }: Erasure): boolean {
  return record.user_id === userId && (record.version_key ?? "") < before;
}
