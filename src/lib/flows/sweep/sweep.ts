import type { Queue, R2Bucket, R2Object } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { MINUTE_MS } from "../../base/durations.ts";
import { ulidTimeMs } from "../../base/ids.ts";
import { listPage } from "../../bucket/list-objects.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import { appliedRangesRowSchema, selectAppliedRanges } from "../../db/queries/ledger.ts";
import type { Sql } from "../../db/sql.ts";
import { embedMessages, sendBatches } from "../../wal/embed-messages.ts";
import { listTenants } from "../tenants/list-tenants.ts";
import { readWalHead } from "../../wal/read-wal-range.ts";
import { parseWalKey } from "../../wal/wal-key.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";

export interface SweepContext {
  readonly bucket: R2Bucket;
  readonly sql: Sql;
  readonly embedQueue: Pick<Queue<EmbedMessage>, "sendBatch">;
  readonly clock: Clock;
}

export interface SweepOptions {
  /** When the round before this one began, milliseconds; 0 when there was none. */
  readonly sweptAtMs: number;
  /** WAL objects looked at in one run, over all tenants. */
  readonly objectsMax: number;
  /** Messages sent in one run: a backlog is fed to the queue in portions (the local queue holds 10 thousand). */
  readonly messagesMax: number;
  /** Looked at before each page. */
  readonly isSpent: () => boolean;
  /** Only count what would be sent. */
  readonly isDryRun: boolean;
}

/** 20,000 objects are 20 list calls; 2,000 messages are 20 sends. */
export const SWEEP_BOUNDS = { objectsMax: 20_000, messagesMax: 2_000 } as const;

/** Ages at which an unapplied object is sent again. Between them it is trusted to wait its turn in a long queue. */
const RESEND_AGE_FIRST_MS = 2 * MINUTE_MS;
const RESEND_AGES_MS = [RESEND_AGE_FIRST_MS, 15 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS];
/** After the last of these ages it is sent again at this distance. */
const RESEND_EVERY_MS = 360 * MINUTE_MS;

/** Whether an object of this age has passed one of the ages since the run before, `sinceMs` ago. Pure. */
export function isResendDue(ageMs: number, sinceMs: number): boolean {
  const beforeMs = ageMs - sinceMs;
  if (RESEND_AGES_MS.some((resendAgeMs) => ageMs >= resendAgeMs && beforeMs < resendAgeMs)) return true;
  return ageMs >= RESEND_EVERY_MS && Math.floor(ageMs / RESEND_EVERY_MS) !== Math.floor(beforeMs / RESEND_EVERY_MS);
}

export interface SweepCursor {
  /** Per tenant, the WAL key up to which every object is known to be applied: the next round starts after it. */
  readonly completeUpTo: Readonly<Record<string, string>>;
  /** Where the last run stopped in the middle of a round: behind this key of this tenant ('' at its beginning). */
  readonly stoppedAt: { readonly tenantId: string; readonly key: string } | null;
}

export interface SweepReport {
  readonly lookedAtCount: number;
  readonly incompleteCount: number;
  readonly incompleteBytes: number;
  /** When the oldest of them was made, milliseconds; null when there is none. */
  readonly oldestAtMs: number | null;
  readonly sentCount: number;
  /** Objects that could not be read or sent: they are met again by the next round. */
  readonly failedCount: number;
}

interface Tally {
  lookedAt: number;
  incomplete: number;
  incompleteBytes: number;
  oldestAtMs: number | null;
  sent: number;
  failed: number;
}

/**
 * Sends again what the queue lost or never got: every range of a WAL object that has no ledger row. The WAL is the
 * truth, the queue only its messenger. Sending a range twice is harmless; a dead range has its ledger row and stays dead.
 * A round goes over all tenants, in as many runs as it takes.
 */
export async function sweep(
  context: SweepContext,
  options: SweepOptions,
  { completeUpTo, stoppedAt }: SweepCursor,
): Promise<{ readonly report: SweepReport; readonly cursor: SweepCursor }> {
  const tally: Tally = { lookedAt: 0, incomplete: 0, incompleteBytes: 0, oldestAtMs: null, sent: 0, failed: 0 };
  const next: Record<string, string> = { ...completeUpTo };
  let stopped: SweepCursor["stoppedAt"] = null;
  for (const tenantId of await listTenants(context.bucket, "wal/")) {
    if (stoppedAt !== null && tenantId < stoppedAt.tenantId) continue;
    const resumeAfter = stoppedAt?.tenantId === tenantId ? stoppedAt.key : "";
    const swept = await sweepTenant(context, options, {
      tenantId,
      startAfter: resumeAfter === "" ? next[tenantId] : resumeAfter,
      isResumed: resumeAfter !== "",
      tally,
    });
    if (swept.completeUpTo !== undefined) next[tenantId] = swept.completeUpTo;
    if (swept.stoppedAfter === undefined) continue;
    stopped = { tenantId, key: swept.stoppedAfter };
    break;
  }
  return {
    report: {
      lookedAtCount: tally.lookedAt,
      incompleteCount: tally.incomplete,
      incompleteBytes: tally.incompleteBytes,
      oldestAtMs: tally.oldestAtMs,
      sentCount: tally.sent,
      failedCount: tally.failed,
    },
    cursor: { completeUpTo: next, stoppedAt: stopped },
  };
}

interface TenantSweep {
  readonly tenantId: string;
  readonly startAfter: string | undefined;
  /** Something before `startAfter` may be incomplete: nothing behind it can be the end of what is complete. */
  readonly isResumed: boolean;
  readonly tally: Tally;
}

async function sweepTenant(
  context: SweepContext,
  options: SweepOptions,
  { tenantId, isResumed, tally, ...tenant }: TenantSweep,
): Promise<{ readonly completeUpTo: string | undefined; readonly stoppedAfter?: string }> {
  let startAfter = tenant.startAfter;
  let completeUpTo: string | undefined;
  let allComplete = !isResumed;
  for (;;) {
    if (options.isSpent() || tally.lookedAt >= options.objectsMax)
      return { completeUpTo, stoppedAfter: startAfter ?? "" };
    const page = await listPage(context.bucket, {
      prefix: `wal/${tenantId}/`,
      isWithMetadata: true,
      ...(startAfter === undefined ? {} : { startAfter }),
    });
    const due = page.objects.filter((object) => ageOfObjectMs(object, context.clock()) >= RESEND_AGE_FIRST_MS);
    tally.lookedAt += due.length;
    const { complete, handledCount } = await sweepPage(context, options, { tenantId, objects: due, tally });
    for (const object of due.slice(0, handledCount)) {
      if (!complete.has(object.key)) allComplete = false;
      if (allComplete) completeUpTo = object.key;
      startAfter = object.key;
    }
    if (handledCount < due.length) return { completeUpTo, stoppedAfter: startAfter ?? "" };
    if (page.next === undefined || due.length < page.objects.length) return { completeUpTo };
  }
}

/** Age of a WAL object by its ulid; a foreign object under the prefix counts as new for ever. */
function ageOfObjectMs(object: R2Object, nowMs: number): number {
  const parts = parseWalKey(object.key);
  return parts === undefined ? -1 : nowMs - ulidTimeMs(parts.walId);
}

/** Sends what is missing of one page of objects; returns the keys of those with nothing missing, and how many fitted into this run. */
async function sweepPage(
  context: SweepContext,
  options: SweepOptions,
  page: { readonly tenantId: string; readonly objects: readonly R2Object[]; readonly tally: Tally },
): Promise<{ readonly complete: ReadonlySet<string>; readonly handledCount: number }> {
  const complete = new Set<string>();
  const nowMs = context.clock();
  const walIds = page.objects.map((object) => parseWalKey(object.key)?.walId ?? "");
  const rows = await context.sql.transaction(
    { tenantId: page.tenantId, userId: "*" },
    [selectAppliedRanges(page.tenantId, walIds)],
    { readOnly: true },
  );
  if (!rows.ok) {
    page.tally.failed += page.objects.length;
    return { complete, handledCount: page.objects.length };
  }
  const applied = new Map(
    (rows.value[0] ?? []).map((row) => {
      const parsed = appliedRangesRowSchema.parse(row);
      return [parsed.wal_id, new Set(parsed.range_indexes)];
    }),
  );
  for (const [index, object] of page.objects.entries()) {
    const ranges = applied.get(walIds[index] ?? "") ?? new Set<number>();
    if (ranges.size >= Number(object.customMetadata?.["ranges"] ?? Infinity)) {
      complete.add(object.key);
      continue;
    }
    if (isResendDue(ageOfObjectMs(object, nowMs), nowMs - options.sweptAtMs)) {
      if (page.tally.sent >= options.messagesMax) return { complete, handledCount: index };
      await sendMissing(context, { key: object.key, ranges, tally: page.tally, isDryRun: options.isDryRun });
    }
    noteIncomplete(page.tally, object, nowMs - ageOfObjectMs(object, nowMs));
  }
  return { complete, handledCount: page.objects.length };
}

function noteIncomplete(tally: Tally, object: R2Object, madeAtMs: number): void {
  tally.incomplete += 1;
  tally.incompleteBytes += object.size;
  tally.oldestAtMs = Math.min(tally.oldestAtMs ?? madeAtMs, madeAtMs);
}

async function sendMissing(
  context: SweepContext,
  work: {
    readonly key: string;
    readonly ranges: ReadonlySet<number>;
    readonly tally: Tally;
    readonly isDryRun: boolean;
  },
): Promise<void> {
  const opened = await readWalHead(context.bucket, work.key, WAL_LIMITS);
  if (!opened.ok) {
    work.tally.failed += 1;
    return;
  }
  const { head, layout } = opened.value;
  const missing = embedMessages(head, layout.ranges, context.clock()).filter(
    (message) => !work.ranges.has(message.range_index),
  );
  try {
    for (const group of sendBatches(missing)) {
      if (!work.isDryRun) await context.embedQueue.sendBatch(group.map((body) => ({ body })));
      work.tally.sent += group.length;
    }
  } catch {
    work.tally.failed += 1;
  }
}
