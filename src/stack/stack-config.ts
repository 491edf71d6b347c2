import { join } from "node:path";

/** Where the local stack keeps everything; `make reset` removes it. */
export interface StackFolders {
  readonly root: string;
  /** Postgres data, R2 objects, Durable Objects, KV. */
  readonly data: string;
  /** Bundled Worker. */
  readonly build: string;
}

export function stackFolders(projectFolder: string): StackFolders {
  const root = process.env["JEEVES_HOME"] ?? join(projectFolder, ".jeeves");
  return { root, data: join(root, "data"), build: join(root, "build") };
}

export interface StackOptions {
  readonly projectFolder: string;
  /** Port of the Worker; 0 takes any free one. */
  readonly port: number;
  /** Any Postgres, reached as its owner through the local `/sql` endpoint; undefined uses PGlite in the data folder. */
  readonly databaseUrl: string | undefined;
  /** An embedding server that runs already; undefined starts `gpu-embedder` on the CPU. */
  readonly embedEndpoint: string | undefined;
  readonly log: (line: string) => void;
  /** Where the Worker's own log lines go. */
  readonly workerLog: (line: string) => void;
}

/** A reason why the stack cannot run, in one sentence that says what to do. */
export class StackError extends Error {
  override readonly name = "StackError";
}
