import { setTimeout as sleep } from "node:timers/promises";
import { processTree } from "../../../bench/support/process-usage.ts";
import {
  startWorkerRuntime,
  type WorkerRuntime,
  type WorkerRuntimeOptions,
} from "../../../src/stack/worker-runtime.ts";

/** The bundled Worker in workerd. What its queues hold is lost with the process; R2 and Durable Objects lie on disk. */
export interface WorkerPart {
  readonly url: string;
  runtime(): WorkerRuntime;
  kill(): Promise<void>;
  /** Until it answers: Miniflare starts a workerd that died again by itself, and where it gives up it is started anew. */
  untilUp(): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 100;
const UP_WITHIN_MS = 20_000;
const ATTEMPTS_MAX = 5;

export async function startWorkerPart(options: Omit<WorkerRuntimeOptions, "port">): Promise<WorkerPart> {
  let runtime = await startWorkerRuntime({ ...options, port: 0 });
  const { url } = runtime;
  const startAnew = async (): Promise<void> => {
    await runtime.stop().catch(() => undefined);
    runtime = await startWorkerRuntime({ ...options, port: Number(new URL(url).port) });
  };
  return {
    url,
    runtime: () => runtime,
    async kill() {
      const mine = processTree(process.pid).filter(({ parentPid }) => parentPid === process.pid);
      for (const { pid } of mine.filter(({ name }) => name.startsWith("workerd"))) process.kill(pid, "SIGKILL");
    },
    async untilUp() {
      for (let attempt = 1; ; attempt += 1) {
        if (await answersWithin(url, UP_WITHIN_MS)) return;
        if (attempt === ATTEMPTS_MAX) throw new Error("the Worker does not start again");
        await startAnew().catch(() => undefined);
      }
    },
    stop: () => runtime.stop().catch(() => undefined),
  };
}

async function answersWithin(url: string, timeoutMs: number): Promise<boolean> {
  for (const endAtMs = Date.now() + timeoutMs; Date.now() < endAtMs; await sleep(POLL_MS)) {
    const reply = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(timeoutMs) }).catch(() => undefined);
    await reply?.body?.cancel();
    if (reply?.ok === true) return true;
  }
  return false;
}
