import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "../../../bench/support/python-environment.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { embedAll } from "../support/embed-client.ts";
import { endWithParent } from "../support/end-with-parent.ts";
import { CLIENT_PLANS, planLabel } from "./client-plans.ts";
import type { Side } from "./side.ts";

const NAME = "infinity-emb 0.0.78";
/** Its default, and twice that. */
const BATCH_SIZES = [32, 64] as const;
/** It compiles the model as it starts, and measures itself. */
const START_TIMEOUT_MS = 5 * 60_000;
const KILL_AFTER_MS = 10_000;
const MODEL_NAME = "model";

interface InfinityServer {
  readonly batchSize: number;
  readonly url: string;
  readonly child: ChildProcess;
}

/** PyPI infinity-emb as a server, its torch engine with default settings. An error is one sentence that says why it cannot be had. */
export async function infinitySide(modelFolder: string): Promise<Result<Side, string>> {
  const requirementsPath = fileURLToPath(new URL("infinity.txt", import.meta.url));
  const python = await pythonEnvironment({ name: "infinity", requirementsPath });
  if (!python.ok) return python;
  const servers: InfinityServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(({ child }) => endChild(child)));
  };
  for (const batchSize of BATCH_SIZES) {
    const server = await startInfinity(join(dirname(python.value), "infinity_emb"), modelFolder, batchSize);
    servers.push(server);
    if (await answers(server)) continue;
    await stop();
    return err(`${NAME} did not start within ${START_TIMEOUT_MS / 60_000} minutes`);
  }
  return ok({
    name: `${NAME} over HTTP`,
    pids: servers.map(({ child }) => child.pid ?? 0),
    settings: servers.flatMap(({ batchSize, url }) =>
      CLIENT_PLANS.map((plan) => ({
        label: `batch ${batchSize}, ${planLabel(plan)}`,
        run: (set) => embedAll({ url: `${url}/embeddings`, modelName: MODEL_NAME, headers: {} }, set.texts, plan),
      })),
    ),
    otherSettings: [],
    stop,
  });
}

async function startInfinity(command: string, modelFolder: string, batchSize: number): Promise<InfinityServer> {
  const port = await freePort();
  const { OPENBLAS_CORETYPE: _, ...environment } = process.env;
  const place = ["--device", "cpu", "--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(
    command,
    ["v2", "--model-id", modelFolder, "--served-model-name", MODEL_NAME, "--batch-size", String(batchSize), ...place],
    {
      env: { ...environment, HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1", DO_NOT_TRACK: "1" },
      stdio: "ignore",
    },
  );
  endWithParent(child);
  return { batchSize, url: `http://127.0.0.1:${port}`, child };
}

async function answers({ url, child }: InfinityServer): Promise<boolean> {
  const endMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < endMs && child.exitCode === null) {
    if (
      await fetch(`${url}/health`).then(
        ({ ok: isUp }) => isUp,
        () => false,
      )
    )
      return true;
    await sleep(500);
  }
  return false;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
