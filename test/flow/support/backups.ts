/** Backups and restores in the flow suites: the production jobs over a world's bucket, into one database or another. */
import { z } from "zod";
import { HOUR_MS, MINUTE_MS } from "../../../src/lib/base/durations.ts";
import { BACKUP_JOB, type BackupContext } from "../../../src/lib/flows/backups/backup-job.ts";
import { RESTORE_JOB } from "../../../src/lib/flows/backups/restore-job.ts";
import { indexRange } from "../../../src/lib/flows/indexing/index-range.ts";
import { createModelSource, tokenizerKey } from "../../../src/lib/flows/models/model-source.ts";
import { sweep, SWEEP_BOUNDS } from "../../../src/lib/flows/sweep/sweep.ts";
import { ZstdCodec } from "../../../src/lib/zstd/zstd-codec.ts";
import { expectOk, openTestDatabase, type TestDatabase } from "../../support/database.ts";
import type { TestBackend } from "../../support/postgres-servers.ts";
import { zstdModule } from "../../support/zstd-module.ts";
import type { CrashPoint } from "./crashing.ts";
import { runTicked } from "./run-ticked.ts";
import type { World } from "./world.ts";

const zstd = new ZstdCodec(zstdModule());

/** The context of the jobs over the world's bucket and a database, the world's own if none is named. */
export function backupContext(
  world: World,
  database: TestDatabase = world.database,
  crash?: CrashPoint,
): BackupContext {
  const { bucket, clock, newUlid } = world.context(crash);
  const sql = crash === undefined ? database.sql : crash.wrap(database.sql);
  return { bucket, clock, newUlid, sql, databases: new Map([["home", sql]]), loadZstd: async () => zstd };
}

const backupReportSchema = z.object({
  backup_id: z.string(),
  kind: z.enum(["full", "delta"]),
  base: z.string().nullable(),
  tenant_count: z.int(),
  file_count: z.int(),
  size_bytes: z.int(),
  expired_count: z.int(),
  skipped: z.array(z.string()),
  code: z.string().nullable(),
});

/** One backup, an hour or more after the one before: its name has seconds. */
export async function backUp(
  world: World,
  { afterHours = 1 }: { readonly afterHours?: number } = {},
): Promise<z.infer<typeof backupReportSchema> & { readonly state: string }> {
  world.nowMs += afterHours * HOUR_MS;
  const ran = expectOk(await runTicked(backupContext(world), BACKUP_JOB));
  return { ...backupReportSchema.parse(ran.report), state: ran.state };
}

export const restoreReportSchema = z.object({
  code: z.string().nullable(),
  backup_id: z.string().optional(),
  tenants_total: z.int().optional(),
  tenant_count: z.int().optional(),
  document_count: z.int().optional(),
  chunk_count: z.int().optional(),
  missing_document_count: z.int().optional(),
  damaged: z.array(z.object({ key: z.string(), code: z.string(), block: z.int().optional() })).optional(),
  refused_tenants: z.array(z.string()),
  elapsed_seconds: z.number(),
  dropped_batch_count: z.int().optional(),
  erasure_count: z.int().optional(),
});

/** One run of the restore job. */
export async function restoreInto(
  world: World,
  database: TestDatabase,
  { at, isDryRun = false }: { readonly at?: string; readonly isDryRun?: boolean } = {},
): Promise<z.infer<typeof restoreReportSchema> & { readonly state: string }> {
  const parameters = at === undefined ? {} : { at };
  const ran = expectOk(await runTicked(backupContext(world, database), RESTORE_JOB, { isDryRun, parameters }));
  return { ...restoreReportSchema.parse(ran.report), state: ran.state };
}

/** An empty migrated database with the world's bucket restored into it. */
export async function openRestored(
  world: World,
  backend: TestBackend = "pglite",
  options: { readonly at?: string } = {},
): Promise<TestDatabase & { readonly report: Awaited<ReturnType<typeof restoreInto>> }> {
  const database = await openTestDatabase({ backend });
  return { ...database, report: await restoreInto(world, database, options) };
}

/** What the schedule does next: the sweeper sends what the restored ledger does not have, and the consumer applies it. */
export async function sweepAll(world: World, database: Pick<TestDatabase, "sql">): Promise<void> {
  world.nowMs += 3 * MINUTE_MS;
  const models = createModelSource({
    sql: database.sql,
    clock: () => world.nowMs,
    readTokenizer: async (fingerprint) => {
      const object = await world.bucket.get(tokenizerKey(fingerprint));
      return object === null ? null : new Uint8Array(await object.arrayBuffer());
    },
  });
  const context = { ...world.context(), sql: database.sql, models };
  const options = { ...SWEEP_BOUNDS, sweptAtMs: 0, isSpent: () => false, isDryRun: false };
  await sweep(context, options, { completeUpTo: {}, stoppedAt: null });
  for (const message of world.take()) expectOk(await indexRange(context, message));
}
