/** PGlite with pgvector as the local Postgres: one process, one session, no installation. */
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { mkdir } from "node:fs/promises";

export interface PgliteServerOptions {
  /** Data folder, made if missing; left out, everything is in memory and lost at the end. */
  readonly dataFolder?: string;
  /** False leaves pgvector out, as on a server that does not have it. Default true. */
  readonly hasVector?: boolean;
  /** A `dumpDataDir` tarball to start from instead of an empty cluster: 0.5 s instead of 6 s. In memory only. */
  readonly template?: Blob;
}

export interface PgliteServer {
  readonly database: PGlite;
  /** User, database and host are what the `/sql` endpoint reads; nothing listens there. */
  connectionString(user: string): string;
  close(): Promise<void>;
}

/** Boots an instance. Rejects when the data folder is of another version or in use. */
export async function startPgliteServer(options: PgliteServerOptions = {}): Promise<PgliteServer> {
  if (options.dataFolder !== undefined) await mkdir(options.dataFolder, { recursive: true });
  const database = await PGlite.create({
    ...(options.dataFolder === undefined ? {} : { dataDir: options.dataFolder }),
    ...(options.template === undefined ? {} : { loadDataDir: options.template }),
    extensions: options.hasVector === false ? {} : { vector },
  });
  return {
    database,
    connectionString: (user) => `postgresql://${encodeURIComponent(user)}:none@pglite.localhost/postgres`,
    close: () => database.close(),
  };
}
