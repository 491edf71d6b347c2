import { z } from "zod";
import type { R2Bucket } from "@cloudflare/workers-types";
import { HOUR_MS, MINUTE_MS } from "../../base/durations.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { SELECT_STORE, SELECT_TENANT_IDS, storeRowSchema, tenantIdRowSchema } from "../../db/queries/backup.ts";
import { registryRowSchema, selectRegistry } from "../../db/queries/models.ts";
import { HOME_SHARD } from "../../db/shard-map.ts";
import type { Sql } from "../../db/sql.ts";
import type { ZstdCodec } from "../../zstd/zstd-codec.ts";
import type { Job, JobContext, JobGauge, JobOutcome, JobRun } from "../jobs/job.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import {
  beginTenant,
  finishTenant,
  listBackupFiles,
  type TenantBackup,
  tenantStateSchema,
  writeNext,
} from "./backup-tenant.ts";
import type { BackedModel } from "./document-part.ts";
import { expireBackups } from "./expire-backups.ts";
import {
  BACKUPS_PREFIX,
  backupIdOf,
  type BackupManifest,
  backupTimeMs,
  CLOCKS_APART_MS,
  listBackupIds,
  manifestKey,
  readManifest,
  writeJson,
} from "./manifest.ts";
import { lookBeforeWriting, OvertakenError } from "./own-writes.ts";

export interface BackupContext extends JobContext {
  readonly bucket: R2Bucket;
  readonly newUlid: () => string;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
  readonly loadZstd: () => Promise<Pick<ZstdCodec, "compress" | "decompress">>;
}

interface BackupReport {
  readonly backup_id: string | null;
  readonly kind: "full" | "delta" | null;
  readonly base: string | null;
  readonly tenant_count: number;
  readonly file_count: number;
  readonly size_bytes: number;
  readonly expired_count: number;
  /** Tenants that could not be backed up: the backup is whole without them. */
  readonly skipped: readonly string[];
  readonly code: string | null;
}

/** A delta is made of a full backup that is younger: a week less the hours by which a night may be late. */
const FULL_EVERY_MS = (7 * 24 - 12) * HOUR_MS;
/** Names of backups have seconds. */
const NAME_STEP_MS = 1_000;
/** Names of tenants in a report. */
const SKIPPED_MAX = 100;

const cursorSchema = z.object({
  backup: z
    .object({
      backup_id: z.string(),
      kind: z.enum(["full", "delta"]),
      base: z.string().nullable(),
      started_at_ms: z.number(),
      after_tenant: z.string(),
      tenant: tenantStateSchema.nullable(),
      skipped: z.array(z.string()).default([]),
    })
    .nullable()
    .default(null),
});
type BackupState = NonNullable<z.infer<typeof cursorSchema>["backup"]>;

/** Backs up every tenant: everything once a week, documents that changed on the nights between. A backup counts once its manifest is there, which comes last. */
export const BACKUP_JOB: Job<BackupContext, BackupReport> = {
  name: "backup",
  summary:
    "backs up rows and vectors of every tenant to R2: a full backup each week, what changed on the nights between",
  cron: "0 2 * * *",
  timeMsMax: 14 * MINUTE_MS,
  async run(context, run) {
    const begun = cursorSchema.parse(run.cursor).backup ?? (await plan(context));
    const state = { value: begun };
    try {
      const ended = await backUp(context, run, state);
      return ended.ok ? ended.value : stopped("failed", state.value, ended.error.code);
    } catch {
      return stopped("failed", state.value, storageUnavailable().code);
    }
  },
};

/** What kind of backup it will be. Reads R2 only. Names are in the order in which backups were made, also where the clock went back in between. */
async function plan({ bucket, clock }: BackupContext): Promise<BackupState> {
  const startedAtMs = clock();
  const ids = await listBackupIds(bucket);
  const known = await wholeBackups(bucket, ids);
  const lastFull = known.findLast(({ kind }) => kind === "full");
  const isFull = isFullDue(lastFull, startedAtMs);
  const newestId = ids.at(-1);
  const afterNewestMs = newestId === undefined ? startedAtMs : backupTimeMs(newestId) + NAME_STEP_MS;
  return {
    backup_id: backupIdOf(Math.max(startedAtMs, afterNewestMs)),
    kind: isFull ? "full" : "delta",
    base: isFull ? null : (known.at(-1)?.backup_id ?? null),
    started_at_ms: startedAtMs,
    after_tenant: "",
    tenant: null,
    skipped: [],
  };
}

/** A full one that lies ahead was made by a clock that has been set right since: by its time the next one would not be due for as long. */
function isFullDue(last: BackupManifest | undefined, nowMs: number): boolean {
  if (last === undefined) return true;
  const ageMs = nowMs - Date.parse(last.started_at);
  return ageMs > FULL_EVERY_MS || ageMs < -CLOCKS_APART_MS;
}

/** Whole backups of the last weeks, oldest first. */
async function wholeBackups(bucket: R2Bucket, ids: readonly string[]): Promise<readonly BackupManifest[]> {
  const manifests: BackupManifest[] = [];
  for (const id of ids) {
    const manifest = await readManifest(bucket, id);
    if (manifest.ok) manifests.push(manifest.value);
  }
  return manifests;
}

async function backUp(
  context: BackupContext,
  run: JobRun,
  state: { value: BackupState },
): Promise<Result<JobOutcome<BackupReport>, Problem>> {
  const facts = await readFacts(context);
  if (!facts.ok) return facts;
  const { tenantIds } = facts.value;
  if (run.isDryRun) return ok(stopped("done", state.value, null, { tenant_count: tenantIds.length }));
  const backup = {
    ...facts.value,
    sql: context.sql,
    bucket: context.bucket,
    zstd: await context.loadZstd(),
    backupId: state.value.backup_id,
    startedAtMs: state.value.started_at_ms,
  };
  const base = state.value.base === null ? undefined : await readManifest(context.bucket, state.value.base);
  const inBase = new Set(base?.ok === true ? base.value.tenants.map(({ tenant_id: tenantId }) => tenantId) : []);
  for (const tenantId of tenantIds.filter((each) => each > state.value.after_tenant)) {
    const baseId = inBase.has(tenantId) ? state.value.base : null;
    const done = await backUpOrSkip(backup, run, { tenantId, baseId, state });
    if (!done.ok) return done;
    if (!done.value) return ok(stopped("partial", state.value, null));
  }
  return finishBackup(context, run, { state: state.value, facts: facts.value });
}

interface TenantTurn {
  readonly tenantId: string;
  readonly baseId: string | null;
  readonly state: { value: BackupState };
}

/** What one tenant holds must not keep the others from being backed up: what fails while database and bucket answer is left out, and named. */
async function backUpOrSkip(backup: TenantBackup, run: JobRun, turn: TenantTurn): Promise<Result<boolean, Problem>> {
  try {
    const done = await backUpTenant(backup, run, turn);
    if (done.ok || done.error.code !== "internal") return done;
  } catch (thrown) {
    if (thrown instanceof OvertakenError) return ok(false);
    const isThere = await backup.bucket.head(manifestKey(backup.backupId)).then(
      () => true,
      () => false,
    );
    if (!isThere) throw thrown;
  }
  const { value } = turn.state;
  const skipped = [...value.skipped, turn.tenantId].slice(0, SKIPPED_MAX);
  turn.state.value = { ...value, tenant: null, after_tenant: turn.tenantId, skipped };
  return ok(true);
}

/** False: the time is over, or another run has taken over. */
async function backUpTenant(
  backup: TenantBackup,
  run: JobRun,
  { tenantId, baseId, state }: TenantTurn,
): Promise<Result<boolean, Problem>> {
  for (;;) {
    const { tenant } = state.value;
    const bucket = await lookBeforeWriting(backup.bucket, `${BACKUPS_PREFIX}${backup.backupId}/${tenantId}/`);
    if (run.budget.isSpent() || !(await run.checkpoint({ backup: state.value }))) return ok(false);
    const own = { ...backup, bucket };
    if (tenant?.tenant_id !== tenantId) {
      const begun = await beginTenant(own, tenantId, baseId);
      if (!begun.ok) return begun;
      state.value = { ...state.value, tenant: begun.value };
    } else if (tenant.step === "done") {
      const finished = await finishTenant(own, tenant);
      if (!finished.ok) return finished;
      state.value = { ...state.value, tenant: null, ...(finished.value ? { after_tenant: tenantId } : {}) };
      if (finished.value) return ok(true);
    } else {
      const written = await writeNext(own, tenant);
      if (!written.ok) return written;
      state.value = { ...state.value, tenant: written.value };
    }
  }
}

interface Facts extends Pick<TenantBackup, "variant" | "models"> {
  readonly schemaVersion: number;
  readonly tenantIds: readonly string[];
  readonly registry: string;
}

const modelsSchema = z.array(z.looseObject({ model_id: z.int(), fingerprint: z.string(), dimensions: z.int() }));

/** What has to be known of the databases: models are the same in each, and so is the schema. */
async function readFacts({ databases }: BackupContext): Promise<Result<Facts, Problem>> {
  const home = databases.get(HOME_SHARD);
  if (home === undefined) return err({ code: "internal" });
  const store = await home.query(SELECT_STORE);
  if (!store.ok) return err(problemOfSql(store.error));
  const registry = await home.query(selectRegistry());
  if (!registry.ok) return err(problemOfSql(registry.error));
  const tenantIds = new Set<string>();
  for (const sql of databases.values()) {
    const rows = await sql.query(SELECT_TENANT_IDS);
    if (!rows.ok) return err(problemOfSql(rows.error));
    for (const row of rows.value) tenantIds.add(tenantIdRowSchema.parse(row).tenant_id);
  }
  const { schema_version: schemaVersion, variant } = storeRowSchema.parse(store.value[0]);
  const { models } = registryRowSchema.parse(registry.value[0]);
  const parsed: readonly BackedModel[] = modelsSchema.parse(JSON.parse(models));
  return ok({
    variant,
    schemaVersion,
    registry: models,
    models: new Map(parsed.map((model) => [model.model_id, model])),
    tenantIds: [...tenantIds].sort(),
  });
}

async function finishBackup(
  context: BackupContext,
  run: JobRun,
  { state, facts }: { readonly state: BackupState; readonly facts: Facts },
): Promise<Result<JobOutcome<BackupReport>, Problem>> {
  const { bucket, clock } = context;
  const { backup_id: backupId, kind, base } = state;
  const prefix = `${BACKUPS_PREFIX}${backupId}/`;
  const own = await lookBeforeWriting(bucket, manifestKey(backupId));
  if (!(await run.checkpoint({ backup: state }))) return ok(stopped("partial", state, null));
  const files = await listBackupFiles(bucket, prefix);
  const tenants = files.flatMap(({ key, sha256 }) => {
    const [tenantId = "", name] = key.slice(prefix.length).split("/");
    return name === "tenant.json" ? [{ tenant_id: tenantId, key, sha256 }] : [];
  });
  const sizeBytes = files.reduce((sum, { size_bytes: size }) => sum + size, 0);
  await writeJson(own, manifestKey(backupId), {
    version: 1,
    backup_id: backupId,
    kind,
    base,
    started_at: new Date(state.started_at_ms).toISOString(),
    finished_at: new Date(clock()).toISOString(),
    schema_version: facts.schemaVersion,
    variant: facts.variant,
    models: facts.registry,
    size_bytes: sizeBytes,
    tenants,
  });
  const expired = await expireBackups(context, { newest: backupId, run });
  if (!expired.ok) return expired;
  const report = {
    tenant_count: tenants.length,
    file_count: files.length,
    size_bytes: sizeBytes,
    expired_count: expired.value,
  };
  const gauges: JobGauge[] = [
    { name: "backup_size_bytes", labels: { kind }, value: sizeBytes },
    { name: "backup_last_timestamp_seconds", labels: { kind }, value: state.started_at_ms / 1000 },
  ];
  const outcome = state.skipped.length > 0 ? "failed" : "done";
  return ok({ ...stopped(outcome, state, null, report), cursor: {}, gauges });
}

function stopped(
  outcome: JobOutcome<BackupReport>["outcome"],
  state: BackupState,
  code: string | null,
  counts: Partial<BackupReport> = {},
): JobOutcome<BackupReport> {
  const { backup_id, kind, base, skipped } = state;
  const none = { tenant_count: 0, file_count: 0, size_bytes: 0, expired_count: 0 };
  return { outcome, report: { backup_id, kind, base, ...none, skipped, code, ...counts }, cursor: { backup: state } };
}
