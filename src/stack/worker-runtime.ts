import { readdirSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { withHelp } from "./help-topic.ts";
import { StackError } from "./stack-config.ts";

export interface WorkerRuntimeOptions {
  readonly projectFolder: string;
  readonly buildFolder: string;
  /** R2 objects, KV and Durable Objects are kept here; undefined keeps them in memory. */
  readonly stateFolder: string | undefined;
  /** Address to listen on; undefined keeps it on this machine. */
  readonly host?: string | undefined;
  readonly port: number;
  /** What `wrangler secret` and `vars` hold in production. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

export interface WorkerRuntime {
  readonly url: string;
  readonly miniflare: Miniflare;
  /** Fires a cron trigger as the platform would. */
  runScheduled(cron: string, scheduledAtMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

/** Types of the files that wrangler's bundle may hold; source maps and its README are not modules. */
const MODULE_TYPES = {
  ".js": "ESModule",
  ".mjs": "ESModule",
  ".wasm": "CompiledWasm",
  ".html": "Text",
  ".txt": "Text",
} as const;

/** The bundle's files as modules, its entry first. */
export function bundledModules(buildFolder: string): { type: "ESModule" | "CompiledWasm" | "Text"; path: string }[] {
  const modules = readdirSync(buildFolder).flatMap((name) => {
    const type = Object.entries(MODULE_TYPES).find(([ending]) => name.endsWith(ending))?.[1];
    return type === undefined ? [] : [{ type, path: join(buildFolder, name) }];
  });
  return modules.sort((a, b) => Number(b.path.endsWith("index.js")) - Number(a.path.endsWith("index.js")));
}

/** Runs the bundled Worker in workerd with what wrangler.toml configures: queues, R2, KV, Durable Objects. */
export async function startWorkerRuntime(options: WorkerRuntimeOptions): Promise<WorkerRuntime> {
  const { workerOptions } = workerOptionsOf(join(options.projectFolder, "wrangler.toml"));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      bindings: Object.assign({}, workerOptions["bindings"], options.bindings),
      rootPath: options.buildFolder,
      modulesRoot: options.buildFolder,
      modules: bundledModules(options.buildFolder),
      host: options.host ?? "127.0.0.1",
      port: options.port,
      cf: false,
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: ({ message }: { message: string }) => options.log(message),
      ...(options.stateFolder === undefined ? {} : { resourcePersistencePath: options.stateFolder }),
    }),
  );
  try {
    const url = await miniflare.ready;
    return {
      url: url.origin,
      miniflare,
      runScheduled: async (cron, scheduledAtMs) => {
        const worker = await miniflare.getWorker();
        const result = await worker.scheduled({ cron, scheduledTime: new Date(scheduledAtMs) });
        return result.outcome === "ok";
      },
      stop: () => miniflare.dispose(),
    };
  } catch (cause) {
    await miniflare.dispose().catch(() => undefined);
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/EADDRINUSE|address already in use/i.test(message)) {
      const busy = `port ${options.port} is busy: stop what listens there, or choose another one with PORT=…`;
      throw new StackError(withHelp(busy, "port-in-use"), { cause });
    }
    throw new StackError(`the Worker did not start: ${message.slice(0, 500)}`, { cause });
  }
}
