import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";
import { PROJECT_FOLDER } from "../../../src/cli/project-folder.ts";

const eventSchema = z.looseObject({ at: z.string(), event: z.string() });
export type BridgeEvent = z.infer<typeof eventSchema>;

/** `jeeves bridge redis` as a process of its own. */
export interface BridgeProcess {
  /** Everything that it has printed, on both streams. */
  output(): string;
  /** The first event of that name, waited for. */
  event(name: string): Promise<BridgeEvent>;
  kill(): Promise<void>;
  /** SIGTERM, or Ctrl-C; the exit code. */
  end(signal?: "SIGTERM" | "SIGINT"): Promise<number | null>;
}

export interface BridgeSettings {
  readonly redisUrl: string;
  readonly apiUrl: string;
  readonly key: string;
  readonly args: readonly string[];
}

const EVENT_TIMEOUT_MS = 30_000;

/** Started, and connected. */
export async function startBridge(settings: BridgeSettings): Promise<BridgeProcess> {
  const bridge = spawnBridge(settings);
  await bridge.event("bridge_started");
  return bridge;
}

export function spawnBridge({ redisUrl, apiUrl, key, args }: BridgeSettings): BridgeProcess {
  const child = spawn(
    process.execPath,
    [join(PROJECT_FOLDER, "src/cli/main.ts"), "bridge", "redis", "--json", ...args],
    {
      env: { ...process.env, REDIS_URL: redisUrl, JEEVES_URL: apiUrl, JEEVES_KEY: key },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  const listeners = new Set<() => void>();
  const told = (): void => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => {
      output += part;
      told();
    });
  child.once("exit", told);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const find = (name: string): BridgeEvent | undefined =>
    output
      .split("\n")
      .flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [eventSchema.parse(JSON.parse(line))] : []))
      .find(({ event }) => event === name);
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!hasEnded()) {
      child.kill(signal);
      await once(child, "close");
    }
    return child.exitCode;
  };
  return {
    output: () => output,
    event: (name) =>
      new Promise((resolve, reject) => {
        const fail = (): void => reject(new Error(`the bridge did not say "${name}": ${output.slice(-2000)}`));
        const timer = setTimeout(fail, EVENT_TIMEOUT_MS);
        const look = (): void => {
          const found = find(name);
          if (found === undefined && !hasEnded()) return;
          listeners.delete(look);
          clearTimeout(timer);
          if (found === undefined) fail();
          else resolve(found);
        };
        listeners.add(look);
        look();
      }),
    kill: async () => void (await ended("SIGKILL")),
    end: (signal = "SIGTERM") => ended(signal),
  };
}
