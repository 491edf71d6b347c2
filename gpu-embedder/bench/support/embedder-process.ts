import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { endWithParent } from "./end-with-parent.ts";

/** The server under measurement, a process of its own as users run it. */
export interface EmbedderProcess {
  readonly url: string;
  readonly pid: number;
  /** Has every line of its log that follows. */
  onLine(listener: (event: unknown) => void): void;
  /** Resolves with the exit code once it has drained. */
  stop(): Promise<number | null>;
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/**
 * Starts it on a free port with its default settings but those given; `nodeFlags` go before the script. Rejects when it cannot start, with
 * the line that says why.
 */
export async function startEmbedder(
  settings: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): Promise<EmbedderProcess> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...nodeFlags, MAIN], {
    env: { ...process.env, PORT: "0", ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWithParent(child);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const listeners: ((event: unknown) => void)[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    void ended.then(() => reject(new Error("the server ended before it listened")));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event: unknown = JSON.parse(line);
      for (const listener of listeners) listener(event);
      if (typeof event === "object" && event !== null && "port" in event) resolve(Number(event.port));
      else if (line.includes('"start_failed"')) reject(new Error(line));
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    onLine(listener) {
      listeners.push(listener);
    },
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
