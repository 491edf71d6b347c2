import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line in a process of its own. */
export async function runCli(
  words: readonly string[],
  options: { readonly cwd?: string; readonly stdin?: string | Uint8Array; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CliRun> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"], JEEVES_HOME: process.env["JEEVES_HOME"], ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const [exitCode]: unknown[] = await once(child, "close");
  return { exitCode: typeof exitCode === "number" ? exitCode : null, stdout, stderr };
}
