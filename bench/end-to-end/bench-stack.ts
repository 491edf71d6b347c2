import { fork, type ChildProcess } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { HOME_FOLDER } from "../support/home-folder.ts";
import { startNativeServer } from "../../src/stack/postgres/native-server.ts";
import { processTree } from "../support/process-usage.ts";
import { temporaryFolder } from "../support/store.ts";
import { answerSchema, type Answer, type Ask } from "./stack-messages.ts";

export type DatabaseKind = "pglite" | "native";

/** A running stack in a process of its own with an empty store. */
export interface BenchStack {
  readonly url: string;
  /** Base address of its embedding server. */
  readonly embedEndpoint: string;
  /** The roots of all its processes. */
  readonly pids: readonly number[];
  keyOf(tenantId: string): Promise<string>;
  writeChunks(tenantId: string, file: string): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts it on a database of a kind, or on an empty one of a `postgresql://` URL (its owner's), with further variables of the Worker. An error is the
 * sentence that says why there is none.
 */
export async function startBenchStack(
  kind: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<BenchStack | string> {
  const native = kind === "native" ? await startNativeServer(join(HOME_FOLDER, "cache")) : undefined;
  if (native !== undefined && !native.ok) return native.error;
  const home = await temporaryFolder();
  const databaseUrl =
    native?.value.connectionString() ?? (kind === "pglite" ? `pglite:${join(home, "postgres")}` : kind);
  const child = fork(new URL("stack-process.ts", import.meta.url), [databaseUrl, home, JSON.stringify(variables)], {
    execArgv: [],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.connected) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.send({ ask: "stop" } satisfies Ask);
      await ended;
    }
    await native?.value.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const ready = await nextAnswer(child);
    if (ready.answer !== "ready") throw new Error(`the stack did not start: ${JSON.stringify(ready)}`);
    return {
      url: ready.url,
      embedEndpoint: ready.embedEndpoint,
      pids: [child.pid, ...(native === undefined ? [] : postgresPids(native.value.port))].filter(
        (pid) => pid !== undefined,
      ),
      async keyOf(tenantId) {
        const answer = await ask(child, { ask: "key", tenantId });
        if (answer.answer !== "key") throw new Error("the stack made no key");
        return answer.key;
      },
      async writeChunks(tenantId, file) {
        const answer = await ask(child, { ask: "chunks", tenantId, file });
        if (answer.answer !== "chunks") throw new Error("the stack gave no chunks");
        return answer.chunkCount;
      },
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** The native server is a child of the bench, not of the stack: found by the port on its command line. */
function postgresPids(port: number): readonly number[] {
  return processTree(process.pid)
    .filter(({ name, commandLine }) => name.startsWith("postgres") && commandLine.includes(`port=${port}`))
    .map(({ pid }) => pid);
}

function ask(child: ChildProcess, question: Ask): Promise<Answer> {
  const answer = nextAnswer(child);
  child.send(question);
  return answer;
}

function nextAnswer(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error("the stack's process ended"));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.removeListener("exit", ended);
      const answer = answerSchema.parse(message);
      if (answer.answer === "failed") reject(new Error(answer.reason));
      else resolve(answer);
    });
  });
}
