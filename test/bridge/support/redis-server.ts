import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real Redis server on a free port, which loses nothing that it has answered. */
export interface RedisServer {
  readonly url: string;
  /** Ends the process without warning. Its data folder stays. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 20_000;

/** Debian package redis-server; `settings` are more of its arguments. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "jeeves-redis-"));
  const port = await freePort();
  let child = await startProcess(folder, port, settings);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    child.stdio[3]?.destroy();
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill();
      child = await startProcess(folder, port, settings);
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The server ends when its input does, which happens also when this process is killed. */
const STOP_WITH_PARENT = '{ read -r _ <&3; kill -KILL $$; } 2>/dev/null & exec redis-server "$@" 3<&-';

async function startProcess(folder: string, port: number, settings: readonly string[]): Promise<ChildProcess> {
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
  const child = spawn("/bin/sh", ["-c", STOP_WITH_PARENT, "sh", ...place, ...durable, ...settings], {
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    let log = "";
    const timer = setTimeout(() => reject(new Error(`redis-server is not ready: ${log}`)), START_TIMEOUT_MS);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`redis-server ended: ${log}`)));
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      log = (log + part).slice(-4000);
      if (!log.includes("Ready to accept connections")) return;
      clearTimeout(timer);
      child.removeAllListeners("exit");
      resolve();
    });
  });
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
