import { join } from "node:path";
import type { MigrationFile } from "../lib/db/migrate.ts";

/** Where the local stack keeps everything; `make reset` removes data and build. */
export interface StackFolders {
  /** Postgres data, R2 objects, Durable Objects, KV. */
  readonly data: string;
  /** Bundled Worker. */
  readonly build: string;
  /** Weights of the embedding model, kept over resets. */
  readonly models: string;
}

/** Folders under one root, as `make` uses them. */
export function stackFolders(root: string): StackFolders {
  return { data: join(root, "data"), build: join(root, "build"), models: join(root, "models") };
}

export interface StackOptions {
  readonly projectFolder: string;
  readonly folders: StackFolders;
  /** Address that the Worker listens on; undefined keeps it on this machine. */
  readonly host?: string | undefined;
  /** Port of the Worker; 0 takes any free one. */
  readonly port: number;
  /** Any Postgres, reached as its owner through the local `/sql` endpoint; undefined uses PGlite in the data folder. */
  readonly databaseUrl: string | undefined;
  /** The Workers' role on that Postgres; undefined where the stack may make its password. */
  readonly appDatabaseUrl?: string | undefined;
  /** An embedding server that runs already; undefined starts `gpu-embedder` on the CPU. */
  readonly embedEndpoint: string | undefined;
  /** Bearer token of that server. */
  readonly embedToken?: string | undefined;
  /** Bearer token of `/metrics`; undefined: an operator's key only. */
  readonly metricsToken?: string | undefined;
  /** Keys of reversible placeholders, as the Worker's secret PII_KEYS holds them. */
  readonly piiKeys?: string | undefined;
  /** Variables of the Worker beside those that the stack sets itself. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly migrationFiles: readonly MigrationFile[];
  readonly log: (line: string) => void;
  /** Where the Worker's and the embedding server's own log lines go. */
  readonly workerLog: (line: string) => void;
}

/** A reason why the stack cannot run, in one sentence that says what to do. */
export class StackError extends Error {
  override readonly name = "StackError";
}
