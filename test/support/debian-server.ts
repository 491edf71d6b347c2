/** PostgreSQL 15 of Debian 12, which has no pgvector: the server on which the jsonb variant is tested. */
import { err, ok } from "../../src/lib/base/result.ts";
import type { Result } from "../../src/lib/base/result.ts";
import { serverVersion, startServerProcess } from "../../src/stack/postgres/server-process.ts";
import type { PostgresServer } from "../../src/stack/postgres/server-process.ts";

const BIN_FOLDER = "/usr/lib/postgresql/15/bin";

/** Starts a fresh server, or says in one sentence why there is none here. */
export async function startDebianServer(): Promise<Result<PostgresServer, string>> {
  const binFolder = await debianBinFolder();
  return binFolder.ok ? ok(await startServerProcess({ binFolder: binFolder.value })) : binFolder;
}

/** Folder of the binaries, where they are installed. */
export async function debianBinFolder(): Promise<Result<string, string>> {
  const isThere = (await serverVersion(BIN_FOLDER)) !== undefined;
  return isThere ? ok(BIN_FOLDER) : err(`PostgreSQL 15 is not in ${BIN_FOLDER} (Debian package postgresql-15)`);
}
