/** Runs a Postgres server of given binaries as a child process on a free loopback port, as a user who is not root. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { assert } from "../../lib/base/assert.ts";

const runFile = promisify(execFile);

/** Tries to start, since a free port can be taken between looking and binding. */
const START_ATTEMPTS_MAX = 5;
const START_TIMEOUT_MS = 30_000;
/** Between tries to start again: processes of a killed server let go of its memory a moment after they are gone. */
const RESTART_PAUSE_MS = 200;
/** `nobody`, on every Linux: Postgres refuses to run as root. */
const UNPRIVILEGED_ID = 65_534;

export interface PostgresServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly superuser: "postgres";
  readonly password: string;
  /** Connection string of a user of this server; the superuser with its password by default. */
  connectionString(login?: { user?: string; password?: string; database?: string }): string;
  /** Ends every process of the server without warning (Linux). Its data stays as it lies. Harmless where it has ended already. */
  crash(): Promise<void>;
  /** Starts it again on the same data and port, after a crash or after it ended by itself. Harmless where it runs. */
  restart(): Promise<void>;
  /** Fast shutdown by the server's own process, then the data folder is removed. */
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  /** Folder with `initdb` and `postgres`, readable by every user. */
  readonly binFolder: string;
  /** Extra `name=value` settings; they win over those of a test server. */
  readonly settings?: readonly string[];
  /** Folder in which the cluster's own folder is made; the system's temporary one by default. */
  readonly parentFolder?: string;
}

/**
 * Makes an empty cluster in a temporary folder and starts it. It is a test server: nothing is flushed to disk, all is
 * gone after `stop`, and the server ends by itself when this process dies. Rejects with the server's log on failure.
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<PostgresServer> {
  const runAs = process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {};
  const folder = await mkdtemp(join(options.parentFolder ?? tmpdir(), "jeeves-postgres-"));
  const dataFolder = join(folder, "data");
  const password = randomBytes(18).toString("base64url");
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password);
  if (runAs.uid !== undefined) {
    for (const path of [folder, passwordFile]) await chown(path, runAs.uid, runAs.gid);
  }
  await chmod(folder, 0o700);
  const initdbArguments = ["-D", dataFolder, "-U", "postgres", "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  try {
    await runFile(
      join(options.binFolder, "initdb"),
      [...initdbArguments, "--encoding=UTF8", "--locale=C", "--no-sync"],
      { ...runAs, cwd: folder },
    );
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const place = { folder, dataFolder, port, runAs };
      const started = await startOnce(options, place);
      if (typeof started !== "string") return serverOf(started, { options, place, password });
      if (attempt === START_ATTEMPTS_MAX) throw new Error(`Postgres does not start: ${started}`);
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Place {
  readonly folder: string;
  readonly dataFolder: string;
  readonly port: number;
  readonly runAs: { readonly uid?: number; readonly gid?: number };
}

/**
 * The wrapper shell stops the server when its own input ends, which happens also when this process is killed; then it
 * removes the cluster, since nobody else is left to do so.
 */
const STOP_WITH_PARENT = `
  folder=$1; shift
  exec 3<&0
  "$@" 3<&- & server=$!
  { read -r _ <&3; : > "$folder/parent-ended"; kill -INT "$server"; } 2>/dev/null & watcher=$!
  wait "$server"
  kill "$watcher" 2>/dev/null
  if [ -e "$folder/parent-ended" ]; then rm -rf "$folder"; fi`;

/** The running wrapper, or the end of the server's log where it ended before it was ready. */
async function startOnce(options: ServerProcessOptions, place: Place): Promise<ChildProcess | string> {
  const settings = [
    `port=${place.port}`,
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    ...(options.settings ?? []),
  ];
  const child = spawn(
    "/bin/sh",
    [
      "-c",
      STOP_WITH_PARENT,
      "sh",
      place.folder,
      join(options.binFolder, "postgres"),
      "-D",
      place.dataFolder,
      ...settings.flatMap((setting) => ["-c", setting]),
    ],
    { ...place.runAs, cwd: place.folder, stdio: ["pipe", "ignore", "pipe"] },
  );
  const log = await untilReadyOrEnd(child);
  if (log.isReady) return child;
  if (child.exitCode === null) {
    child.stdin?.end();
    throw new Error(`Postgres is not ready after ${START_TIMEOUT_MS} ms: ${log.text}`);
  }
  return log.text;
}

async function untilReadyOrEnd(child: ChildProcess): Promise<{ isReady: boolean; text: string }> {
  const { stderr } = child;
  assert(stderr !== null, "the server's log is piped");
  let text = "";
  return new Promise((resolve) => {
    const end = (isReady: boolean): void => {
      clearTimeout(timer);
      resolve({ isReady, text: text.slice(-1000) });
    };
    const timer = setTimeout(() => end(false), START_TIMEOUT_MS);
    // "close" and not "exit": only then has the last of the log arrived.
    child.once("close", () => end(false));
    stderr.setEncoding("utf8");
    // Read for the whole life of the server, or a full pipe would stop it.
    stderr.on("data", (part: string) => {
      text = (text + part).slice(-4000);
      if (text.includes("database system is ready to accept connections")) end(true);
    });
  });
}

function serverOf(
  first: ChildProcess,
  { options, place, password }: { options: ServerProcessOptions; place: Place; password: string },
): PostgresServer {
  let running = watched(first);
  return {
    host: "127.0.0.1",
    port: place.port,
    superuser: "postgres",
    password,
    connectionString: ({ user = "postgres", password: given = password, database = "postgres" } = {}) =>
      `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(given)}@127.0.0.1:${place.port}/${database}`,
    async crash() {
      if (hasEnded(running.child)) return;
      running.child.ref();
      await killServer(place.dataFolder);
      await running.ended;
    },
    async restart() {
      if (hasEnded(running.child)) running = watched(await startAgain(options, place));
    },
    async stop() {
      running.child.ref();
      running.child.stdin?.end();
      await running.ended;
      await rm(place.folder, { recursive: true, force: true });
    },
  };
}

interface WatchedChild {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

function watched(child: ChildProcess): WatchedChild {
  // A server nobody stopped ends with this process, so it need not keep it alive.
  child.unref();
  for (const stream of [child.stdin, child.stderr]) if (stream instanceof Socket) stream.unref();
  // Its pipe breaks when the server is killed.
  child.stdin?.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  return { child, ended };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** SIGKILL to the postmaster and to each of its processes. */
async function killServer(dataFolder: string): Promise<void> {
  const [line = ""] = (await readFile(join(dataFolder, "postmaster.pid"), "utf8")).split("\n");
  const postmaster = Number(line);
  assert(Number.isInteger(postmaster) && postmaster > 1, "a running server has written its process id");
  // Halted first, so that it starts no process that this list would miss.
  process.kill(postmaster, "SIGSTOP");
  const children = (await readFile(`/proc/${postmaster}/task/${postmaster}/children`, "utf8")).trim().split(" ");
  for (const pid of [...children.filter((text) => text !== "").map(Number), postmaster]) killProcess(pid);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}

async function startAgain(options: ServerProcessOptions, place: Place): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await startOnce(options, place);
    if (typeof started !== "string") return started;
    if (attempt === START_ATTEMPTS_MAX) throw new Error(`Postgres does not start again: ${started}`);
    await sleep(RESTART_PAUSE_MS);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  assert(typeof address === "object" && address !== null, "a listening TCP server has an address");
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return address.port;
}

/** True when `nobody` can enter and read every folder up to the root: a server run as nobody needs that. */
export async function isReadableByAll(path: string): Promise<boolean> {
  try {
    await runFile(
      "/bin/sh",
      ["-c", 'test -r "$1" && test -x "$1"', "sh", path],
      process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID, cwd: "/" } : {},
    );
    return true;
  } catch {
    return false;
  }
}

/** Version line of a server binary, or undefined where it cannot be run. */
export async function serverVersion(binFolder: string): Promise<string | undefined> {
  try {
    return (await runFile(join(binFolder, "postgres"), ["--version"])).stdout.trim();
  } catch {
    return undefined;
  }
}
