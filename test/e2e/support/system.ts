import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { keysContext } from "../../../src/cli/keys-context.ts";
import { ensureActiveModel } from "../../../src/cli/local/ensure-active-model.ts";
import type { KeyScope } from "../../../src/lib/contract/principal.ts";
import { createKey, createTenant } from "../../../src/lib/flows/keys/manage-keys.ts";
import { bundleWorker } from "../../../src/stack/bundle-worker.ts";
import { type EmbedderProcess, startEmbedder } from "../../../src/stack/embedder-process.ts";
import { startWorkerRuntime, type WorkerRuntime } from "../../../src/stack/worker-runtime.ts";
import { expectOk, openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openTcpGate, type TcpGate } from "./tcp-gate.ts";

const PROJECT_FOLDER = fileURLToPath(new URL("../../..", import.meta.url));

/** The whole system with real parts: the bundled Worker in workerd, PGlite, the embedding server; doors that can be shut between them. */
export interface System {
  readonly url: string;
  readonly database: TestDatabase;
  readonly databaseGate: TcpGate;
  readonly embedderGate: TcpGate;
  readonly logLines: string[];
  runtime(): WorkerRuntime;
  /** Stops workerd and starts it on the same R2 and Durable Objects: what was in its queues is lost. */
  restartWorker(): Promise<void>;
  /** Kills the embedding server without warning and starts it again on the same port. */
  killEmbedder(): Promise<void>;
  restartEmbedder(): Promise<void>;
  newKey(tenantId: string, options?: { userId?: string; scopes?: readonly KeyScope[] }): Promise<string>;
  close(): Promise<void>;
}

export interface SystemOptions {
  /** Variables and secrets of the Worker beside those of the system. */
  readonly bindings?: Readonly<Record<string, string>>;
}

export async function startSystem({ bindings = {} }: SystemOptions = {}): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), "jeeves-e2e-"));
  const logLines: string[] = [];
  const log = (line: string): void => void logLines.push(line);
  const modelFolder = join(PROJECT_FOLDER, ".jeeves", "models", "all-MiniLM-L6-v2");
  let embedder: EmbedderProcess = await startEmbedder({ projectFolder: PROJECT_FOLDER, modelFolder, log });
  const embedderPort = Number(new URL(embedder.endpoint).port);
  const [database] = await Promise.all([
    openTestDatabase({ backend: "pglite" }),
    bundleWorker(PROJECT_FOLDER, join(folder, "build")),
  ]);
  const databaseGate = await openTcpGate(Number(new URL(database.endpointUrl).port));
  const embedderGate = await openTcpGate(embedderPort);
  const startRuntime = (port: number): Promise<WorkerRuntime> =>
    startWorkerRuntime({
      projectFolder: PROJECT_FOLDER,
      buildFolder: join(folder, "build"),
      stateFolder: join(folder, "state"),
      port,
      bindings: {
        DATABASE_URL: database.connectionString,
        SQL_FETCH_ENDPOINT: `http://127.0.0.1:${databaseGate.port}/sql`,
        EMBED_ENDPOINT: `http://127.0.0.1:${embedderGate.port}`,
        SESSION_SECRET: "secret-of-the-sessions-of-the-tests",
        ...bindings,
      },
      log,
    });
  let runtime = await startRuntime(0);
  const { url } = runtime;
  const newKey: System["newKey"] = async (tenantId, options = {}) => {
    expectOk(await createTenant(database.ownerSql, tenantId, tenantId));
    const made = await createKey(keysContext(database.ownerSql), {
      tenantId,
      userId: options.userId ?? "",
      scopes: options.scopes ?? ["ingest", "search", "admin"],
      label: "e2e",
      expiresAtMs: null,
    });
    return expectOk(made).key;
  };
  await ensureActiveModel(url, await newKey("setup", { scopes: ["operator"] }));
  return {
    url,
    database,
    databaseGate,
    embedderGate,
    logLines,
    runtime: () => runtime,
    restartWorker: async () => {
      await runtime.stop();
      runtime = await startRuntime(Number(new URL(url).port));
    },
    killEmbedder: () => embedder.kill(),
    restartEmbedder: async () => {
      embedder = await startEmbedder({ projectFolder: PROJECT_FOLDER, modelFolder, port: embedderPort, log });
    },
    newKey,
    close: async () => {
      await runtime.stop();
      await Promise.all([databaseGate.close(), embedderGate.close()]);
      await Promise.all([embedder.stop(), database.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
