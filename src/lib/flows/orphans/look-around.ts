/** The round that both jobs make: tenant after tenant, check after check, page after page, from where the last run stopped. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { ok, type Result } from "../../base/result.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import { nowRowSchema, SELECT_NOW } from "../../db/queries/orphan-marks.ts";
import type { JobContext, JobRun } from "../jobs/job.ts";
import { knownTenants } from "../tenants/known-tenants.ts";
import { type Check, type CheckFailure, readRows, type TenantLook } from "./check.ts";
import type { Finding, OrphanKind } from "./finding.ts";
import { KeyWindows } from "./key-windows.ts";
import { OBJECT_CHECKS } from "./object-checks.ts";
import { ROW_CHECKS } from "./row-checks.ts";
import { STRAY_CHECKS } from "./stray-checks.ts";

export interface LookContext extends JobContext {
  readonly bucket: R2Bucket;
}

const CHECKS: readonly Check[] = [...ROW_CHECKS, ...OBJECT_CHECKS, ...STRAY_CHECKS];

const cursorSchema = z.object({
  after_tenant: z.string().default(""),
  /** Within a tenant behind that one: a check, where its next page begins, and when its first one did, by the database's clock. */
  at: z
    .object({ tenant: z.string(), check: z.string(), after: z.string(), begun_at: z.string() })
    .nullable()
    .default(null),
  /** Findings by kind since the round began. */
  found: z.record(z.string(), z.int()).default({}),
});
type Cursor = z.infer<typeof cursorSchema>;
type Place = NonNullable<Cursor["at"]>;

/** What is done with what a look finds. */
export interface Findings {
  readonly take: (look: TenantLook, findings: readonly Finding[]) => Promise<Result<unknown, CheckFailure>>;
  /** Called when a check has seen all of a tenant: what it did not find since `begunAt` is not there. */
  readonly gone: (
    look: TenantLook,
    kinds: readonly OrphanKind[],
    begunAt: string,
  ) => Promise<Result<unknown, CheckFailure>>;
}

export interface Round {
  readonly isDone: boolean;
  readonly cursor: JobRun["cursor"];
  readonly tenantCount: number;
  /** Rows and objects that this run looked at. */
  readonly lookedAtCount: number;
  /** Checks that could not be finished: their marks stay as they are, the next round looks again. */
  readonly failures: readonly { readonly tenant_id: string; readonly check: string; readonly code: string }[];
  /** Findings by kind since the round began, also those of runs before. */
  readonly found: Readonly<Record<string, number>>;
}

/** Failures that a report names. */
const FAILURES_MAX = 100;

export async function lookAround(context: LookContext, run: JobRun, findings: Findings): Promise<Round> {
  const cursor = cursorSchema.parse(run.cursor);
  const work: Work = { run, findings, cursor, lookedAtCount: 0, failures: [] };
  let tenantCount = 0;
  for (const tenantId of await knownTenants(context.bucket)) {
    if (tenantId <= cursor.after_tenant) continue;
    tenantCount += 1;
    if (!(await lookAtTenant(context, tenantId, work))) return ended(work, { isDone: false, tenantCount });
    cursor.after_tenant = tenantId;
  }
  return ended(work, { isDone: true, tenantCount });
}

interface Work {
  readonly run: JobRun;
  readonly findings: Findings;
  readonly cursor: Cursor;
  lookedAtCount: number;
  readonly failures: { tenant_id: string; check: string; code: string }[];
}

function ended(work: Work, { isDone, tenantCount }: { isDone: boolean; tenantCount: number }): Round {
  const { cursor, lookedAtCount, failures } = work;
  return {
    isDone,
    cursor: isDone ? {} : cursor,
    tenantCount,
    lookedAtCount,
    failures: failures.slice(0, FAILURES_MAX),
    found: cursor.found,
  };
}

/** False: the time is over, or another run has the lease. */
async function lookAtTenant(context: LookContext, tenantId: string, work: Work): Promise<boolean> {
  const { cursor, run } = work;
  const windows = new Map<string, KeyWindows>();
  const look: TenantLook = {
    ...context,
    tenantId,
    droppedAtMs: await lastDropOf(context.bucket, tenantId),
    objectsUnder(prefix) {
      const known = windows.get(prefix) ?? new KeyWindows(context.bucket, prefix);
      windows.set(prefix, known);
      return known;
    },
  };
  // A tenant that came since, in front of the one that was begun.
  if (cursor.at?.tenant !== tenantId) cursor.at = null;
  const first = CHECKS.findIndex(({ name }) => name === cursor.at?.check);
  for (const check of CHECKS.slice(Math.max(0, first))) {
    if (cursor.at?.check !== check.name) {
      const begun = await begin(look, check);
      if (!begun.ok) {
        note(work, look, check, begun.error);
        continue;
      }
      cursor.at = begun.value;
    }
    const looked = await lookBy(check, look, work, cursor.at);
    if (!looked.ok) note(work, look, check, looked.error);
    else if (!looked.value) return false;
    cursor.at = null;
  }
  return run.checkpoint({ ...cursor, after_tenant: tenantId });
}

function note(work: Work, { tenantId }: TenantLook, check: Check, { code }: CheckFailure): void {
  work.failures.push({ tenant_id: tenantId, check: check.name, code });
}

async function begin(look: TenantLook, check: Check): Promise<Result<Place, CheckFailure>> {
  const rows = await readRows(look, SELECT_NOW);
  return rows.ok
    ? ok({ tenant: look.tenantId, check: check.name, after: "", begun_at: nowRowSchema.parse(rows.value[0]).now })
    : rows;
}

/** One check to its end. False: the time is over, and `place` says where it goes on. */
async function lookBy(
  check: Check,
  look: TenantLook,
  work: Work,
  place: Place,
): Promise<Result<boolean, CheckFailure>> {
  for (;;) {
    if (work.run.budget.isSpent()) return ok(false);
    const page = await pageOf(check, look, place.after);
    if (!page.ok) return page;
    const { findings, lookedAtCount, next } = page.value;
    work.lookedAtCount += lookedAtCount;
    if (findings.length > 0) {
      const taken = await work.findings.take(look, findings);
      if (!taken.ok) return taken;
    }
    for (const { kind } of findings) work.cursor.found[kind] = (work.cursor.found[kind] ?? 0) + 1;
    if (next === undefined) break;
    place.after = next;
  }
  const gone = await work.findings.gone(look, check.kinds, place.begun_at);
  return gone.ok ? ok(true) : gone;
}

const MISTAKES = [TypeError, ReferenceError, RangeError, z.ZodError] as const;

async function pageOf(check: Check, look: TenantLook, after: string): ReturnType<Check["page"]> {
  try {
    return await check.page(look, after);
  } catch (thrown) {
    // R2 throws plain errors where it fails; a mistake of ours must not pass for that.
    if (MISTAKES.some((mistake) => thrown instanceof mistake)) throw thrown;
    return { ok: false, error: { code: "storage_unavailable" } };
  }
}

/** When a batch of the tenant was last dropped, milliseconds. */
async function lastDropOf(bucket: R2Bucket, tenantId: string): Promise<number | undefined> {
  let lastMs: number | undefined;
  for await (const { uploaded } of listObjects(bucket, { prefix: `dropped_batches/${tenantId}/` }))
    lastMs = Math.max(lastMs ?? 0, uploaded.getTime());
  return lastMs;
}
