/** Which real servers this machine has for tests; what is missing is said in one line, never skipped silently. */
import { fileURLToPath } from "node:url";
import { debianBinFolder, startDebianServer } from "./debian-server.ts";
import { nativeBinFolder, startNativeServer } from "../../src/stack/postgres/native-server.ts";
import type { PostgresServer } from "../../src/stack/postgres/server-process.ts";

/** 'pglite' and 'native' have pgvector; 'jsonb' is PGlite without it, 'debian' PostgreSQL 15 without it. */
export type TestBackend = "pglite" | "native" | "jsonb" | "debian";
export type ServerBackend = "native" | "debian";

export const CACHE_FOLDER = fileURLToPath(new URL("../../.jeeves/cache", import.meta.url));
export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../../migrations", import.meta.url));

/** Those of `wanted` that can run here, in the same order; a line on stderr for each of the others. */
export async function availableBackends(wanted: readonly TestBackend[]): Promise<readonly TestBackend[]> {
  const available: TestBackend[] = [];
  for (const backend of wanted) {
    const problem = await problemOf(backend);
    if (problem === undefined) available.push(backend);
    else console.warn(`SKIPPED: the ${backend} database suites: ${problem}`);
  }
  return available;
}

async function problemOf(backend: TestBackend): Promise<string | undefined> {
  if (backend === "pglite" || backend === "jsonb") return undefined;
  const binFolder = backend === "native" ? await nativeBinFolder(CACHE_FOLDER) : await debianBinFolder();
  return binFolder.ok ? undefined : binFolder.error;
}

/** Starts a server which `availableBackends` has named. */
export async function startServer(backend: ServerBackend): Promise<PostgresServer> {
  const server = backend === "native" ? await startNativeServer(CACHE_FOLDER) : await startDebianServer();
  if (!server.ok) throw new Error(server.error);
  return server.value;
}
