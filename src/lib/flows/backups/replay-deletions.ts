/** What was deleted after the backup, as R2 remembers it: dropped batches, and the certificates of erased users. */
import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { DAY_MS } from "../../base/durations.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects, listPages } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { insertAppliedRanges, insertErasure, selectUserOfHash, userOfHashRowSchema } from "../../db/queries/restore.ts";
import type { Sql } from "../../db/sql.ts";
import { parseWalKey } from "../../wal/wal-key.ts";
import { problemOfSql } from "../problem-of.ts";
import { dropExpiredBatch } from "../retention/drop-batch.ts";
import { eraseRestoredUser } from "../users/erase-restored-user.ts";
import { CLOCKS_APART_MS } from "./manifest.ts";

interface ReplayContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly clock: Clock;
}

const droppedSchema = z.object({ batch_tag: z.string(), dropped_at: z.iso.datetime() });
/** The part of a certificate that a restore needs; certificates of all versions have it. */
const erasureSchema = z.object({
  user_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  erasure_id: z.string(),
  erased_before: z.string(),
  finished_at: z.iso.datetime(),
});

export interface ReplayedDeletions {
  readonly batchCount: number;
  readonly erasureCount: number;
}

/** Repeats every deletion of a tenant that ended after its backup began. Repeating it is harmless. */
export async function replayDeletions(
  context: ReplayContext,
  { tenantId, begunAt }: { readonly tenantId: string; readonly begunAt: string },
): Promise<Result<ReplayedDeletions, Problem>> {
  const sinceMs = Date.parse(begunAt) - CLOCKS_APART_MS;
  const dropped = await records(context, `dropped_batches/${tenantId}/`, droppedSchema);
  const batchTags = dropped.flatMap((each) => (Date.parse(each.dropped_at) >= sinceMs ? [each.batch_tag] : []));
  const batches = await dropAgain(context, { tenantId, batchTags, sinceMs });
  if (!batches.ok) return batches;
  const erased = await records(context, `erasures/${tenantId}/`, erasureSchema);
  const late = erased.filter(({ finished_at: finishedAt }) => Date.parse(finishedAt) >= sinceMs);
  for (const each of late) {
    const erasure = { userSha256: each.user_sha256, erasureId: each.erasure_id, erasedBefore: each.erased_before };
    const repeated = await eraseAgain(context, tenantId, erasure);
    if (!repeated.ok) return repeated;
  }
  return ok({ batchCount: batchTags.length, erasureCount: late.length });
}

async function dropAgain(
  context: ReplayContext,
  { tenantId, batchTags, sinceMs }: { tenantId: string; batchTags: readonly string[]; sinceMs: number },
): Promise<Result<void, Problem>> {
  if (batchTags.length === 0) return ok(undefined);
  const settled = await settleRanges(context, { tenantId, batchTags: new Set(batchTags), sinceMs });
  if (!settled.ok) return settled;
  for (const batchTag of batchTags) {
    const gone = await dropExpiredBatch(context, { tenantId, batchTag }, { isSpent: () => false });
    if (!gone.ok) return gone;
  }
  return ok(undefined);
}

/** Requests of a dropped batch that came after the backup are not in its ledger: without their rows the sweeper would bring them. */
async function settleRanges(
  { sql, bucket }: ReplayContext,
  { tenantId, batchTags, sinceMs }: { tenantId: string; batchTags: ReadonlySet<string>; sinceMs: number },
): Promise<Result<void, Problem>> {
  const day = new Date(sinceMs - DAY_MS).toISOString().slice(0, 10);
  const prefix = `wal/${tenantId}/`;
  for await (const page of listPages(bucket, { prefix, startAfter: `${prefix}${day}`, isWithMetadata: true })) {
    const objects = page.flatMap((object) => objectOf(object, batchTags));
    if (objects.length === 0) continue;
    const written = await sql.transaction({ tenantId, userId: "*" }, [insertAppliedRanges(tenantId, objects)]);
    if (!written.ok) return err(problemOfSql(written.error));
  }
  return ok(undefined);
}

function objectOf(
  { key, customMetadata = {} }: R2Object,
  batchTags: ReadonlySet<string>,
): readonly { readonly walId: string; readonly batchTag: string; readonly rangeCount: number }[] {
  const { batch_tag: batchTag = "", ranges = "0" } = customMetadata;
  const walId = parseWalKey(key)?.walId;
  return walId === undefined || !batchTags.has(batchTag) ? [] : [{ walId, batchTag, rangeCount: Number(ranges) }];
}

async function eraseAgain(
  { sql, clock }: ReplayContext,
  tenantId: string,
  erasure: { readonly userSha256: string; readonly erasureId: string; readonly erasedBefore: string },
): Promise<Result<void, Problem>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, [
    insertErasure(tenantId, erasure),
    selectUserOfHash(tenantId, erasure.userSha256),
  ]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const user = rows.value[1]?.[0];
  if (user === undefined) return ok(undefined);
  const { user_id: userId } = userOfHashRowSchema.parse(user);
  return eraseRestoredUser({ sql, clock }, { tenantId, userId, before: erasure.erasedBefore });
}

/** The records under a prefix; what cannot be read as one is passed over. */
async function records<T>({ bucket }: ReplayContext, prefix: string, schema: z.ZodType<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const { key } of listObjects(bucket, { prefix })) {
    const object = await bucket.get(key);
    const parsed = schema.safeParse(await object?.json().catch(() => undefined));
    if (parsed.success) found.push(parsed.data);
  }
  return found;
}
