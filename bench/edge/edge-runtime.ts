import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { z } from "zod";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { processTree } from "../support/process-usage.ts";
import { bundledModules } from "../../src/stack/worker-runtime.ts";

/** One Worker in a workerd of its own, with a consumer beside it that takes its queue messages away. */
export interface EdgeRuntime {
  readonly url: string;
  /** Processor time of its workerd so far, seconds: the consumer's and the bucket's and queue's own are in it. */
  cpuSeconds(): number;
  /** Queue messages taken away so far. */
  consumedCount(): Promise<number>;
  stop(): Promise<void>;
}

export type EdgeSide =
  | { readonly kind: "ours"; readonly buildFolder: string; readonly bindings: Readonly<Record<string, string>> }
  | { readonly kind: "bare" };

const CONSUMER = "acking-consumer";
/** What the consumer takes from wrangler.toml. */
const consumerSchema = z.object({
  compatibilityDate: z.string(),
  queueConsumers: z.record(
    z.string(),
    z.object({ maxBatchSize: z.int(), maxBatchTimeout: z.number(), maxRetries: z.int() }),
  ),
});
const countSchema = z.object({ messageCount: z.int() });

/**
 * Both sides take everything from wrangler.toml (compatibility date, bucket, queue, the consumers' batch settings), except that the
 * queues' messages go to a Worker that only acknowledges them: what is measured ends with the reply to the client.
 */
export async function startEdgeRuntime(side: EdgeSide, log: (line: string) => void): Promise<EdgeRuntime> {
  const { workerOptions } = workerOptionsOf(join(PROJECT_FOLDER, "wrangler.toml"));
  const { compatibilityDate, queueConsumers } = consumerSchema.parse(workerOptions);
  const subject =
    side.kind === "bare"
      ? { modules: await modulesOf("bare-worker.ts"), rootPath: PROJECT_FOLDER, bindings: {}, durableObjects: {} }
      : {
          modules: bundledModules(side.buildFolder),
          rootPath: side.buildFolder,
          bindings: Object.assign({}, workerOptions["bindings"], side.bindings),
        };
  const workerdBefore = new Set(workerdPids());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: ({ message }: { message: string }) => log(message),
      workers: [
        { ...workerOptions, name: "subject", ...subject, modulesRoot: subject.rootPath, queueConsumers: {} },
        { name: CONSUMER, compatibilityDate, modules: await modulesOf("acking-consumer.ts"), queueConsumers },
      ],
    }),
  );
  const url = await miniflare.ready;
  const pid = workerdPids().find((candidate) => !workerdBefore.has(candidate));
  return {
    url: url.origin,
    cpuSeconds: () => processTree(process.pid).find((facts) => facts.pid === pid)?.cpuSeconds ?? Number.NaN,
    async consumedCount() {
      const consumer = await miniflare.getWorker(CONSUMER);
      const response = await consumer.fetch("http://consumer/");
      return countSchema.parse(await response.json()).messageCount;
    },
    stop: () => miniflare.dispose(),
  };
}

function workerdPids(): readonly number[] {
  return processTree(process.pid).flatMap((facts) => (facts.name.startsWith("workerd") ? [facts.pid] : []));
}

/** A TypeScript file of this folder as the only module of a Worker. */
async function modulesOf(name: string): Promise<{ type: "ESModule"; path: string; contents: string }[]> {
  const source = await readFile(new URL(name, import.meta.url), "utf8");
  return [{ type: "ESModule", path: name.replace(/\.ts$/, ".js"), contents: stripTypeScriptTypes(source) }];
}
