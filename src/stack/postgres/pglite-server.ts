/** PGlite with pgvector as the local Postgres: one process, one session, no installation. */
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import { takeFolderLock } from "./folder-lock.ts";

export interface PgliteServerOptions {
  /** Data folder, made if missing; left out, everything is in memory and lost at the end. */
  readonly dataFolder?: string;
  /** False leaves pgvector out, as on a server that does not have it. Default true. */
  readonly hasVector?: boolean;
  /** A `dumpDataDir` tarball to start from instead of an empty cluster: 0.5 s instead of 6 s. */
  readonly template?: Blob;
}

export interface PgliteServer {
  readonly database: PGlite;
  /** User, database and host are what the `/sql` endpoint reads; nothing listens there. */
  connectionString(user: string): string;
  close(): Promise<void>;
}

/** Boots an instance, in 2 to 6 s. An error is one sentence: the data folder is in use. */
export async function startPgliteServer(options: PgliteServerOptions = {}): Promise<Result<PgliteServer, string>> {
  const { dataFolder } = options;
  let release = async (): Promise<void> => undefined;
  if (dataFolder !== undefined) {
    await mkdir(dataFolder, { recursive: true });
    // Two instances on one folder would destroy it, and PGlite does not look.
    const lock = await takeFolderLock(`${resolve(dataFolder)}.lock`);
    if (!lock.ok) return err(`the database folder ${dataFolder} is in use by process ${lock.error.holderPid}`);
    release = lock.value;
  }
  const database = await PGlite.create({
    ...(dataFolder === undefined ? {} : { dataDir: dataFolder }),
    ...(options.template === undefined ? {} : { loadDataDir: options.template }),
    extensions: options.hasVector === false ? {} : { vector },
  });
  return ok({
    database,
    connectionString: (user) => `postgresql://${encodeURIComponent(user)}:none@pglite.localhost/postgres`,
    async close() {
      await database.close();
      await release();
    },
  });
}
