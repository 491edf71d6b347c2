import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process that says one JSON line when it is ready and answers each line of input with one JSON line. */
export interface LineProcess {
  readonly pid: number;
  /** The line it said first. */
  readonly ready: unknown;
  ask(line: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts it. Rejects with the end of what it wrote to standard error when it ends before it is ready. */
export async function startLineProcess(command: string, args: readonly string[]): Promise<LineProcess> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    errors = (errors + part).slice(-2000);
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const next = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done !== true) return JSON.parse(line.value);
    await ended;
    throw new Error(`${command} ended: ${errors}`);
  };
  const ready = await next();
  return {
    pid: child.pid ?? 0,
    ready,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
