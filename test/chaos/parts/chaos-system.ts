import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureActiveModel } from "../../../src/cli/local/ensure-active-model.ts";
import { keysContext } from "../../../src/cli/keys-context.ts";
import { PROJECT_FOLDER } from "../../../src/cli/project-folder.ts";
import type { KeyScope } from "../../../src/lib/contract/principal.ts";
import { createKey, createTenant } from "../../../src/lib/flows/keys/manage-keys.ts";
import { bundleWorker } from "../../../src/stack/bundle-worker.ts";
import type { WorkerRuntime } from "../../../src/stack/worker-runtime.ts";
import { startEmbedder } from "../../../src/stack/embedder-process.ts";
import { type BridgeProcess, startBridge } from "../../bridge/support/bridge-process.ts";
import { openProducer, type Producer } from "../../bridge/support/producer.ts";
import { isRedisAvailable } from "../../bridge/support/redis-available.ts";
import { startRedis } from "../../bridge/support/redis-server.ts";
import { expectOk } from "../../support/database.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import type { Part } from "../plan.ts";
import { type DatabasePart, startDatabasePart } from "./database-part.ts";
import { type Disk, openDisk } from "./disk.ts";
import { type EmbedderDoor, openEmbedderDoor } from "./embedder-door.ts";
import { startWorkerPart, type WorkerPart } from "./worker-part.ts";

export const BRIDGE_STREAM = "triggers";

/** The bucket as Miniflare hands it to Node. */
export type ChaosBucket = Awaited<ReturnType<WorkerRuntime["miniflare"]["getR2Bucket"]>>;

/** A process that can be killed and started again. */
export interface KillablePart {
  kill(): Promise<void>;
  /** Until it serves. Harmless where it runs. */
  start(): Promise<void>;
}

/** The whole system of real parts, each a process of its own or behind a door of its own. */
export interface ChaosSystem {
  readonly url: string;
  readonly parts: Readonly<Partial<Record<Part, KillablePart>>>;
  readonly database: DatabasePart;
  readonly embedderDoor: EmbedderDoor;
  readonly disk: Disk;
  /** Where entries for the bridge are added; undefined where there is no Redis server. */
  readonly producer: Producer | undefined;
  readonly bucket: () => Promise<ChaosBucket>;
  runCron(cron: string): Promise<boolean>;
  newKey(tenantId: string, userId: string, scopes: readonly KeyScope[]): Promise<string>;
  close(): Promise<void>;
}

export interface ChaosSystemOptions {
  readonly seed: number;
  /** Tenant of what comes through the bridge. */
  readonly bridgeTenantId: string;
  readonly log: (line: string) => void;
}

type Stops = (() => Promise<unknown>)[];

export async function startChaosSystem(options: ChaosSystemOptions): Promise<ChaosSystem> {
  const stops: Stops = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) await stop().catch(() => undefined);
  };
  try {
    return { ...(await startParts(options, stops)), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function startParts(options: ChaosSystemOptions, stops: Stops): Promise<Omit<ChaosSystem, "close">> {
  const disk = await openDisk();
  stops.push(() => disk.close());
  const [embedder, database] = await Promise.all([
    startEmbedderPart(options, stops),
    startDatabasePart(disk.folder, new SeededRandom(options.seed)),
  ]);
  stops.push(() => database.stop());
  const worker = await startWorker({ disk, database, embedderUrl: embedder.door.url, log: options.log });
  stops.push(() => worker.stop());
  const newKey = keyMaker(database);
  await ensureActiveModel(worker.url, await newKey("setup", "", ["operator"]));
  const bridgeKey = await newKey(options.bridgeTenantId, "", ["ingest"]);
  const bridge = await startBridgePart({ apiUrl: worker.url, key: bridgeKey }, stops);
  return {
    url: worker.url,
    parts: {
      embedder: embedder.part,
      postgres: database,
      workerd: { kill: () => worker.kill(), start: () => worker.untilUp() },
      ...(bridge === undefined ? {} : { bridge: bridge.part }),
    },
    database,
    embedderDoor: embedder.door,
    disk,
    producer: bridge?.producer,
    bucket: () => worker.runtime().miniflare.getR2Bucket("BUCKET"),
    runCron: (cron) => worker.runtime().runScheduled(cron, Date.now()),
    newKey,
  };
}

function keyMaker(database: DatabasePart): ChaosSystem["newKey"] {
  return async (tenantId, userId, scopes) => {
    expectOk(await createTenant(database.ownerSql, tenantId, tenantId));
    const owner = { tenantId, userId, scopes, label: "chaos", expiresAtMs: null };
    return expectOk(await createKey(keysContext(database.ownerSql), owner)).key;
  };
}

async function startEmbedderPart(
  { log }: ChaosSystemOptions,
  stops: Stops,
): Promise<{ part: KillablePart; door: EmbedderDoor }> {
  const modelFolder = join(PROJECT_FOLDER, ".jeeves", "models", "all-MiniLM-L6-v2");
  const startAt = (port: number): ReturnType<typeof startEmbedder> =>
    startEmbedder({ projectFolder: PROJECT_FOLDER, modelFolder, port, log });
  const first = await startAt(0);
  const part = restartable(first, () => startAt(Number(new URL(first.endpoint).port)));
  stops.push(() => part.kill());
  const door = await openEmbedderDoor(first.endpoint);
  stops.push(() => door.close());
  return { part, door };
}

async function startWorker(place: {
  readonly disk: Disk;
  readonly database: DatabasePart;
  readonly embedderUrl: string;
  readonly log: (line: string) => void;
}): Promise<WorkerPart> {
  const buildFolder = join(place.disk.folder, "build");
  await mkdir(buildFolder, { recursive: true });
  await bundleWorker(PROJECT_FOLDER, buildFolder);
  return startWorkerPart({
    projectFolder: PROJECT_FOLDER,
    buildFolder,
    stateFolder: join(place.disk.folder, "state"),
    bindings: {
      DATABASE_URL: place.database.connectionString,
      SQL_FETCH_ENDPOINT: place.database.endpointUrl,
      EMBED_ENDPOINT: place.embedderUrl,
      SESSION_SECRET: "secret-of-the-sessions-of-a-campaign",
    },
    log: place.log,
  });
}

async function startBridgePart(
  api: { readonly apiUrl: string; readonly key: string },
  stops: Stops,
): Promise<{ part: KillablePart; producer: Producer } | undefined> {
  if (!isRedisAvailable()) return undefined;
  const redis = await startRedis();
  stops.push(() => redis.stop());
  const producer = await openProducer(redis.url);
  stops.push(async () => producer.destroy());
  // Under one name: a bridge that comes back goes on with its own entries at once.
  const args = ["--stream", BRIDGE_STREAM, "--consumer", "chaos", "--claim-seconds", "2"];
  const start = (): Promise<BridgeProcess> => startBridge({ redisUrl: redis.url, ...api, args });
  const part = restartable(await start(), start);
  stops.push(() => part.kill());
  return { part, producer };
}

/** A process that is replaced by another one after it was killed. */
function restartable(
  first: { kill(): Promise<void> },
  startAgain: () => Promise<{ kill(): Promise<void> }>,
): KillablePart {
  let running: { kill(): Promise<void> } | undefined = first;
  return {
    kill: async () => {
      const killed = running;
      running = undefined;
      await killed?.kill();
    },
    start: async () => {
      running ??= await startAgain();
    },
  };
}
