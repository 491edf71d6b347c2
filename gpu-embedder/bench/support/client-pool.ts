import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { embedAll, type BulkRun, type ClientPlan, type EmbedTarget } from "./embed-client.ts";
import type { ClientOrder, ClientReply } from "./client-messages.ts";
import type { TextSet } from "./text-sets.ts";

/** Bulk clients in threads of their own: one thread cannot send and read as much as a server on a GPU answers. */
export interface ClientPool {
  /** Sends every text of the set once, or until `signal`, after which the requests under way are ended. Target n of the list is that of thread n, round and round. Connections are dealt out to the threads. */
  run(targets: readonly EmbedTarget[], set: TextSet, plan: ClientPlan, signal?: AbortSignal): Promise<BulkRun>;
  close(): Promise<void>;
}

/** With 0 threads the clients run in this one, and only the first target is asked. */
export function startClients(threadCount: number): ClientPool {
  const workers = Array.from({ length: threadCount }, () => new Worker(new URL("client-thread.ts", import.meta.url)));
  return {
    async run(targets, set, plan, signal) {
      if (workers.length === 0)
        return embedAll(targetOf(targets, 0), set.texts, plan, signal === undefined ? {} : { signal });
      const counter = new Int32Array(new SharedArrayBuffer(4));
      const giveOutNone = (): void => void Atomics.store(counter, 0, set.texts.length);
      signal?.addEventListener("abort", giveOutNone);
      const used = workers.slice(0, plan.connections);
      const startedMs = performance.now();
      const replies = await Promise.all(
        used.map((worker, index) => {
          const connections = Math.ceil((plan.connections - index) / used.length);
          return ask(worker, {
            target: targetOf(targets, index),
            file: set.file,
            plan: { ...plan, connections },
            counter,
          });
        }),
      );
      signal?.removeEventListener("abort", giveOutNone);
      const seconds = (performance.now() - startedMs) / 1000;
      const firstVector = replies.find((vector) => vector.length > 0) ?? new Float32Array(0);
      return { seconds, firstVector: new Float32Array(firstVector) };
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function targetOf(targets: readonly EmbedTarget[], index: number): EmbedTarget {
  const target = targets[index % targets.length];
  if (target === undefined) throw new Error("clients need a target");
  return target;
}

async function ask(worker: Worker, order: ClientOrder): Promise<Float32Array> {
  const answered = once(worker, "message");
  worker.postMessage(order, []);
  const reply: ClientReply = (await answered)[0];
  if (reply.kind === "failed") throw new Error(reply.detail);
  return reply.firstVector;
}
