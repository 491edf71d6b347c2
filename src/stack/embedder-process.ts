import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { MINUTE_MS } from "../lib/base/durations.ts";
import { withHelp } from "./help-topic.ts";
import { StackError } from "./stack-config.ts";

export interface EmbedderProcess {
  readonly endpoint: string;
  /** Asks the server to drain and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it without warning, as a crash would. */
  kill(): Promise<void>;
}

/** Building the graph from the weights takes about ten seconds the first time, a download may take minutes. */
const START_TIMEOUT_MS = 10 * MINUTE_MS;
/** A drain finishes the batches in flight; after this it is killed. */
const STOP_TIMEOUT_MS = 10_000;

/** Starts gpu-embedder in a process of its own on a free port and waits until it listens. */
export async function startEmbedder(options: {
  readonly projectFolder: string;
  readonly modelFolder: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Its other variables, see gpu-embedder/README.md. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}): Promise<EmbedderProcess> {
  const child = spawn(process.execPath, [join(options.projectFolder, "gpu-embedder", "src", "main.ts")], {
    cwd: join(options.projectFolder, "gpu-embedder"),
    env: {
      ...process.env,
      ...options.variables,
      PORT: String(options.port ?? 0),
      HOST: "127.0.0.1",
      MODEL_DIR: options.modelFolder,
    },
    stdio: ["ignore", "pipe", "pipe"],
    // A terminal's Ctrl-C reaches the whole process group: the stack stops its parts in its own order instead.
    detached: true,
  });
  // An uncaught error must not leave the server running behind the stack's back.
  const killChild = (): void => void child.kill("SIGKILL");
  process.once("exit", killChild);
  child.once("exit", () => process.removeListener("exit", killChild));
  const port = await waitForPort(child, options.log);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () => endProcess(child, "SIGTERM"),
    kill: () => endProcess(child, "SIGKILL"),
  };
}

async function waitForPort(child: ChildProcess, log: (line: string) => void): Promise<number> {
  const lastLines: string[] = [];
  const remember = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > 10) lastLines.shift();
  };
  if (child.stderr !== null) createInterface(child.stderr).on("line", remember);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        notReady(`the embedding server was not ready after ${START_TIMEOUT_MS / 1000} s: ${lastLines.join(" | ")}`),
      );
    }, START_TIMEOUT_MS);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(
        startFailure(lastLines) ?? notReady(`the embedding server ended with code ${code}: ${lastLines.join(" | ")}`),
      );
    });
    if (child.stdout === null) return;
    createInterface(child.stdout).on("line", (line) => {
      remember(line);
      const port = listeningPort(line);
      if (port === undefined) log(line);
      else {
        clearTimeout(timer);
        resolve(port);
      }
    });
  });
}

/** What a server that could not start says of it in its log, with what to do where that is known. */
function notReady(message: string): StackError {
  return new StackError(withHelp(message, "embedder-not-ready"));
}

function startFailure(lines: readonly string[]): StackError | undefined {
  for (const line of lines) {
    const entry = entryOf(line);
    if (entry?.["event"] !== "start_failed") continue;
    const message = `the embedding server did not start: ${String(entry["detail"])}`;
    if (entry["code"] !== "model_not_available") return notReady(message);
    const hint = "Connect to a network, or put the files into a folder and set MODEL_SOURCE_DIR.";
    return new StackError(withHelp(`${message}\n${hint}`, "weights-missing"));
  }
  return undefined;
}

function listeningPort(line: string): number | undefined {
  const entry = entryOf(line);
  return entry?.["event"] === "listening" && typeof entry["port"] === "number" ? entry["port"] : undefined;
}

function entryOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : undefined;
  } catch {
    return undefined;
  }
}

async function endProcess(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  await ended;
  clearTimeout(timer);
}
