import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unstable_readConfig as readWranglerConfig } from "wrangler";
import { createNeonSql } from "../lib/db/neon-sql.ts";
import { runMigrations } from "../lib/db/run-migrations.ts";
import type { Sql } from "../lib/db/sql.ts";
import { appConnectionString } from "./app-login.ts";
import { bundleWorker } from "./bundle-worker.ts";
import { startCronTicker } from "./cron-ticker.ts";
import { startEmbedder } from "./embedder-process.ts";
import { type OpenDatabase, openDatabase } from "./postgres/open-database.ts";
import { StackError, type StackOptions } from "./stack-config.ts";
import { startWorkerRuntime, type WorkerRuntime } from "./worker-runtime.ts";

/** The running local stack: the production Worker in workerd, a Postgres, an embedding server, a cron ticker. */
export interface Stack {
  /** Base URL of the public API. */
  readonly url: string;
  readonly embedEndpoint: string;
  /** The store as its owner: for keys and tenants, which the command line makes. */
  readonly ownerSql: Sql;
  readonly database: OpenDatabase;
  readonly runtime: WorkerRuntime;
  /** Ends every part, in the reverse order of their start. Ending twice is harmless. */
  stop(): Promise<void>;
}

/** For one statement; migrations and maintenance name their own. */
const OWNER_SQL_TIMEOUT_MS = 30_000;

/** Starts the parts side by side where they do not need each other. Rejects with a `StackError`, nothing left running. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { folders } = options;
  await mkdir(folders.data, { recursive: true });
  const stops: (() => Promise<void>)[] = [];
  let ended: Promise<void> | undefined;
  const stop = (): Promise<void> => (ended ??= stopAll(stops));
  try {
    const starting = {
      store: startStore(options, join(folders.data, "postgres"), stops),
      embedEndpoint: startEmbedding(options, join(folders.models, "all-MiniLM-L6-v2"), stops),
      bundle: timed(options, "worker bundled", () => bundleWorker(options.projectFolder, folders.build)),
    };
    await allSettled(Object.values(starting));
    const [store, embedEndpoint] = [await starting.store, await starting.embedEndpoint];
    const runtime = await startWorkerRuntime({
      projectFolder: options.projectFolder,
      buildFolder: folders.build,
      stateFolder: folders.data,
      host: options.host,
      port: options.port,
      bindings: {
        DATABASE_URL: store.appUrl,
        EMBED_ENDPOINT: embedEndpoint,
        SESSION_SECRET: await keptSecret(join(folders.data, "session-secret")),
        ...(options.embedToken === undefined ? {} : { EMBED_TOKEN: options.embedToken }),
        ...(options.metricsToken === undefined ? {} : { METRICS_TOKEN: options.metricsToken }),
        ...(options.piiKeys === undefined ? {} : { PII_KEYS: options.piiKeys }),
        ...options.variables,
        ...(store.database.fetchEndpoint === undefined ? {} : { SQL_FETCH_ENDPOINT: store.database.fetchEndpoint }),
      },
      log: options.workerLog,
    });
    stops.push(() => runtime.stop());
    const crons = readWranglerConfig({ config: join(options.projectFolder, "wrangler.toml") }).triggers.crons ?? [];
    const ticker = startCronTicker({
      crons,
      fire: (cron, scheduledAtMs) => runtime.runScheduled(cron, scheduledAtMs),
      log: options.log,
    });
    stops.push(async () => ticker.stop());
    const stateFile = join(folders.data, "stack.json");
    await writeFile(stateFile, JSON.stringify({ pid: process.pid, url: runtime.url }));
    stops.push(() => rm(stateFile, { force: true }));
    return { url: runtime.url, embedEndpoint, ownerSql: store.ownerSql, database: store.database, runtime, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** A secret of this stack, made once: write tokens of sessions outlive a restart. */
async function keptSecret(file: string): Promise<string> {
  const made = randomBytes(32).toString("hex");
  // Only if there is none: another stack on the same folder keeps the one that it has.
  await writeFile(file, made, { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  return readFile(file, "utf8");
}

async function stopAll(stops: (() => Promise<void>)[]): Promise<void> {
  for (const stopPart of stops.toReversed()) await stopPart().catch(() => undefined);
}

/** Waits for all parts, also when one fails, so that no part is still starting when the others are ended. */
async function allSettled(parts: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts);
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

interface Store {
  readonly database: OpenDatabase;
  readonly ownerSql: Sql;
  readonly appUrl: string;
}

async function startStore(
  options: StackOptions,
  postgresFolder: string,
  stops: (() => Promise<void>)[],
): Promise<Store> {
  const database = await timed(options, "postgres up", async () => {
    const opened = await openDatabase(options.databaseUrl ?? `pglite:${postgresFolder}`);
    if (!opened.ok) throw new StackError(opened.error);
    return opened.value;
  });
  stops.push(() => database.close());
  const ownerSql = createNeonSql({
    connectionString: database.connectionString,
    ...(database.fetchEndpoint === undefined ? {} : { fetchEndpoint: database.fetchEndpoint }),
    timeoutMs: OWNER_SQL_TIMEOUT_MS,
  });
  await timed(options, "schema up to date", async () => {
    const outcome = await runMigrations({
      sql: ownerSql,
      files: options.migrationFiles,
      holder: randomUUID(),
      sleep: (delayMs) => sleep(delayMs),
    });
    if (!outcome.ok) throw new StackError(`migrations failed: ${outcome.error.message}`);
  });
  return { database, ownerSql, appUrl: await appConnectionString(database, ownerSql, options.appDatabaseUrl) };
}

async function startEmbedding(
  options: StackOptions,
  modelFolder: string,
  stops: (() => Promise<void>)[],
): Promise<string> {
  if (options.embedEndpoint !== undefined) return options.embedEndpoint;
  const embedder = await timed(options, "embedder ready", () =>
    startEmbedder({ projectFolder: options.projectFolder, modelFolder, log: options.workerLog }),
  );
  stops.push(() => embedder.stop());
  return embedder.endpoint;
}

async function timed<T>(options: StackOptions, what: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  const value = await work();
  options.log(`${what} (${((performance.now() - startedAtMs) / 1000).toFixed(1)} s)`);
  return value;
}
