import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { SELECT_STORE, storeRowSchema } from "../../db/queries/backup.ts";
import { replaceRegistry } from "../../db/queries/models.ts";
import {
  conflictRowSchema,
  isEmptyRowSchema,
  restoreModels,
  selectIsEmpty,
  selectModelConflicts,
} from "../../db/queries/restore.ts";
import type { Statement } from "../../db/sql.ts";
import { DELETIONS_PREFIX } from "../deletions/deletion-record.ts";
import { replayDeletionsPage, replayStart } from "../deletions/replay-page.ts";
import type { Job, JobOutcome, JobRun } from "../jobs/job.ts";
import { listTenants } from "../tenants/list-tenants.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import type { BackupContext } from "./backup-job.ts";
import { chooseBackup, readChain, type TenantChain } from "./choose-backup.ts";
import type { Damage } from "./damage.ts";
import { type BackupManifest, CLOCKS_APART_MS, readManifest } from "./manifest.ts";
import { replayDeletions } from "./replay-deletions.ts";
import { firstPlace, restoreNext, type StepTally, tenantPlaceSchema, type TenantRestore } from "./restore-tenant.ts";

/** Why nothing was restored. */
type RefusalCode =
  | "backup_missing"
  | "models_conflict"
  | "schema_older_than_backup"
  | "store_variant_differs"
  | "tenant_not_empty";

/** Objects named in a report. */
const DAMAGES_MAX = 200;

const stateSchema = z.object({
  backup_id: z.string(),
  started_at_ms: z.number(),
  tenants_total: z.int(),
  after_tenant: z.string(),
  place: tenantPlaceSchema.nullable(),
  tenant_count: z.int(),
  row_count: z.int(),
  document_count: z.int(),
  chunk_count: z.int(),
  missing_document_count: z.int(),
  deleted_document_count: z.int().default(0),
  dropped_batch_count: z.int(),
  erasure_count: z.int(),
  damaged_count: z.int(),
  damaged: z.array(z.object({ key: z.string(), code: z.string(), block: z.int().optional() })),
});
type RestoreState = z.infer<typeof stateSchema>;
const cursorSchema = z.object({ restore: stateSchema.nullable().default(null) });

interface RestoreReport extends Partial<Omit<RestoreState, "place" | "started_at_ms" | "after_tenant">> {
  readonly code: string | null;
  /** Tenants that keep the backup from being restored. */
  readonly refused_tenants: readonly string[];
  /** Since the first run. */
  readonly elapsed_seconds: number;
}

/** Restores the newest backup, or the one of `at`, into databases that are migrated and hold nothing of its tenants. What came after it, the sweeper brings. */
export const RESTORE_JOB: Job<BackupContext, RestoreReport> = {
  name: "restore",
  summary: "restores a backup into empty databases; what it cannot read it names",
  cron: null,
  timeMsMax: 14 * MINUTE_MS,
  async run(context, run) {
    const { restore } = cursorSchema.parse(run.cursor);
    try {
      const begun = restore === null ? await begin(context, run) : ok({ state: restore });
      if (!begun.ok) return stopped("failed", null, { code: begun.error.code });
      return "ended" in begun.value ? begun.value.ended : await goOn(context, run, begun.value.state);
    } catch {
      return stopped("failed", restore, { code: storageUnavailable().code });
    }
  },
};

type Begun = { readonly state: RestoreState } | { readonly ended: JobOutcome<RestoreReport> };

/** Chooses the backup and looks at every database and tenant, before anything is written. */
async function begin(context: BackupContext, run: JobRun): Promise<Result<Begun, Problem>> {
  const manifest = await chooseBackup(context.bucket, run.parameters["at"] ?? "latest");
  if (manifest === undefined) return ok({ ended: refused("backup_missing") });
  const refusal = await findRefusal(context, manifest);
  if (!refusal.ok) return refusal;
  if (refusal.value !== undefined) return ok({ ended: refusal.value });
  return ok(run.isDryRun ? { ended: planned(manifest) } : { state: firstState(manifest, context.clock()) });
}

/** Restores from where the state says. What a run has done stands in its turn, so that a failure in the middle keeps it. */
async function goOn(context: BackupContext, run: JobRun, state: RestoreState): Promise<JobOutcome<RestoreReport>> {
  const turn = { state };
  const end = (outcome: JobOutcome<RestoreReport>["outcome"], code: string | null = null): JobOutcome<RestoreReport> =>
    stopped(outcome, turn.state, { code, elapsed_seconds: Math.max(0, context.clock() - state.started_at_ms) / 1000 });
  const manifest = await readManifest(context.bucket, state.backup_id);
  if (!manifest.ok) return end("failed", "backup_missing");
  if (!(await run.checkpoint({ restore: state }))) return end("partial");
  try {
    const done = await restoreTenants(context, run, { turn, manifest: manifest.value });
    if (!done.ok) return end("failed", done.error.code);
    if (!done.value) return end("partial");
  } catch {
    return end("failed", storageUnavailable().code);
  }
  const isWhole = turn.state.damaged_count === 0 && turn.state.missing_document_count === 0;
  const ended = end(isWhole ? "done" : "failed");
  const gauges = [
    { name: "restore_duration_seconds", labels: {}, value: ended.report.elapsed_seconds },
    { name: "restore_last_timestamp_seconds", labels: {}, value: context.clock() / 1000 },
  ] as const;
  return { ...ended, cursor: {}, gauges };
}

interface Turn {
  state: RestoreState;
}

/** False: the time is over, or another run has taken over. */
async function restoreTenants(
  context: BackupContext,
  run: JobRun,
  { turn, manifest }: { readonly turn: Turn; readonly manifest: BackupManifest },
): Promise<Result<boolean, Problem>> {
  if (turn.state.after_tenant === "" && turn.state.place === null) {
    const registered = await writeModels(context, restoreModels(manifest.models));
    if (!registered.ok) return registered;
  }
  const zstd = await context.loadZstd();
  const target = { sql: context.sql, bucket: context.bucket, zstd, variant: manifest.variant };
  for (const tenantId of await tenantsOf(context, manifest)) {
    if (tenantId <= turn.state.after_tenant) continue;
    const done = await restoreTenant(context, run, { target, manifest, tenantId, turn });
    if (!done.ok || !done.value) return done;
  }
  const activated = await writeModels(context, replaceRegistry(manifest.models));
  return activated.ok ? ok(true) : activated;
}

/** In order: those of the backup, and those of which only the WAL and the records of their deletions are left. */
async function tenantsOf({ bucket }: BackupContext, manifest: BackupManifest): Promise<readonly string[]> {
  const backedUp = manifest.tenants.map(({ tenant_id: tenantId }) => tenantId);
  return [...new Set([...backedUp, ...(await listTenants(bucket, DELETIONS_PREFIX))])].sort();
}

/** Why the backup cannot go into these databases, if it cannot. */
async function findRefusal(
  context: BackupContext,
  manifest: BackupManifest,
): Promise<Result<JobOutcome<RestoreReport> | undefined, Problem>> {
  for (const sql of context.databases.values()) {
    const store = await sql.query(SELECT_STORE);
    if (!store.ok) return err(problemOfSql(store.error));
    const { schema_version: version, variant } = storeRowSchema.parse(store.value[0]);
    if (version < manifest.schema_version) return ok(refused("schema_older_than_backup"));
    if (variant !== manifest.variant) return ok(refused("store_variant_differs"));
    const conflicts = await sql.query(selectModelConflicts(manifest.models));
    if (!conflicts.ok) return err(problemOfSql(conflicts.error));
    if (conflictRowSchema.parse(conflicts.value[0]).conflict_count > 0) return ok(refused("models_conflict"));
  }
  const used: string[] = [];
  for (const { tenant_id: tenantId } of manifest.tenants) {
    const rows = await context.sql.transaction({ tenantId, userId: "*" }, [selectIsEmpty(tenantId)], {
      readOnly: true,
    });
    if (!rows.ok) return err(problemOfSql(rows.error));
    if (!isEmptyRowSchema.parse(rows.value[0]?.[0]).is_empty) used.push(tenantId);
  }
  return ok(used.length === 0 ? undefined : refused("tenant_not_empty", used));
}

/** Writes the registry of models in every database: the same numbers mean the same models in each. */
async function writeModels(context: BackupContext, statements: readonly Statement[]): Promise<Result<void, Problem>> {
  for (const sql of context.databases.values()) {
    const written = await sql.transaction({ tenantId: "", userId: "" }, statements);
    if (!written.ok) return err(problemOfSql(written.error));
  }
  return ok(undefined);
}

/** False: the time is over, or another run has taken over. */
async function restoreTenant(
  context: BackupContext,
  run: JobRun,
  {
    target,
    manifest,
    tenantId,
    turn,
  }: { target: TenantRestore; manifest: BackupManifest; tenantId: string; turn: Turn },
): Promise<Result<boolean, Problem>> {
  const isBackedUp = manifest.tenants.some(({ tenant_id: each }) => each === tenantId);
  const chain = isBackedUp ? await readChain(target.bucket, manifest, tenantId) : { manifests: [], damages: [] };
  const last = chain.manifests.at(-1);
  if (turn.state.place?.tenant_id !== tenantId) {
    const place = firstPlace(tenantId);
    turn.state = {
      ...noted(turn.state, chain.damages),
      place: last === undefined ? { ...place, step: "deletions" } : place,
    };
  }
  for (;;) {
    if (run.budget.isSpent() || !(await run.checkpoint({ restore: turn.state }))) return ok(false);
    const place = turn.state.place ?? firstPlace(tenantId);
    if (place.step === "deletions") break;
    const restored = await restoreNext(target, chain, place);
    if (!restored.ok) return restored;
    turn.state = added({ ...turn.state, place: restored.value.place }, restored.value.tally);
  }
  const repeated = await deleteDocumentsAgain(context, run, { turn, tenantId, chain });
  if (!repeated.ok || !repeated.value) return repeated;
  if (last === undefined) {
    turn.state = { ...turn.state, place: null, after_tenant: tenantId };
    return ok(true);
  }
  const deleted = await replayDeletions(context, { tenantId, begunAt: last.begun_at });
  if (!deleted.ok) return deleted;
  turn.state = {
    ...turn.state,
    place: null,
    after_tenant: tenantId,
    tenant_count: turn.state.tenant_count + 1,
    dropped_batch_count: turn.state.dropped_batch_count + deleted.value.batchCount,
    erasure_count: turn.state.erasure_count + deleted.value.erasureCount,
  };
  return ok(true);
}

/**
 * Repeats deletions of single documents since the first backup of the chain: where a part of a later one is damaged, documents stay as the first one has them.
 * Without a chain, all of them: the WAL alone brings the tenant back. False: the time is over, or another run has taken over.
 */
async function deleteDocumentsAgain(
  context: BackupContext,
  run: JobRun,
  { turn, tenantId, chain }: { readonly turn: Turn; readonly tenantId: string; readonly chain: TenantChain },
): Promise<Result<boolean, Problem>> {
  const [first] = chain.manifests;
  const sinceMs = first === undefined ? 0 : Date.parse(first.begun_at) - CLOCKS_APART_MS;
  for (;;) {
    const { place } = turn.state;
    const after = place?.deleted_after || replayStart(tenantId, sinceMs);
    const page = await replayDeletionsPage(context, { tenantId, after });
    if (!page.ok) return page;
    const { documentCount, next } = page.value;
    turn.state = { ...turn.state, deleted_document_count: turn.state.deleted_document_count + documentCount };
    if (next === undefined) return ok(true);
    turn.state = { ...turn.state, place: place === null ? null : { ...place, deleted_after: next } };
    if (run.budget.isSpent() || !(await run.checkpoint({ restore: turn.state }))) return ok(false);
  }
}

function firstState({ backup_id, tenants }: BackupManifest, nowMs: number): RestoreState {
  return {
    backup_id,
    started_at_ms: nowMs,
    tenants_total: tenants.length,
    after_tenant: "",
    place: null,
    tenant_count: 0,
    row_count: 0,
    document_count: 0,
    chunk_count: 0,
    missing_document_count: 0,
    deleted_document_count: 0,
    dropped_batch_count: 0,
    erasure_count: 0,
    damaged_count: 0,
    damaged: [],
  };
}

function added(state: RestoreState, tally: StepTally): RestoreState {
  return {
    ...noted(state, tally.damages),
    row_count: state.row_count + tally.rowCount,
    document_count: state.document_count + tally.documentCount,
    chunk_count: state.chunk_count + tally.chunkCount,
    missing_document_count: state.missing_document_count + tally.missingCount,
  };
}

function noted(state: RestoreState, damages: readonly Damage[]): RestoreState {
  return {
    ...state,
    damaged_count: state.damaged_count + damages.length,
    damaged: [...state.damaged, ...damages].slice(0, DAMAGES_MAX),
  };
}

const NO_REPORT = { code: null, refused_tenants: [], elapsed_seconds: 0 };

function planned({ backup_id, tenants }: BackupManifest): JobOutcome<RestoreReport> {
  return { outcome: "done", report: { ...NO_REPORT, backup_id, tenants_total: tenants.length }, cursor: {} };
}

function refused(code: RefusalCode, tenants: readonly string[] = []): JobOutcome<RestoreReport> {
  return stopped("failed", null, { code, refused_tenants: tenants.slice(0, DAMAGES_MAX) });
}

function stopped(
  outcome: JobOutcome<RestoreReport>["outcome"],
  state: RestoreState | null,
  more: Partial<RestoreReport>,
): JobOutcome<RestoreReport> {
  if (state === null) return { outcome, report: { ...NO_REPORT, ...more }, cursor: {} };
  const { place: _place, started_at_ms: _startedAtMs, after_tenant: _after, ...counts } = state;
  return { outcome, report: { ...NO_REPORT, ...counts, ...more }, cursor: { restore: state } };
}
