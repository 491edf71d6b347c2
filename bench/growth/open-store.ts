/** The server that the bench fills: one of its own, set up as a small database server is, or one that is named. */
import { join } from "node:path";
import { CACHE_FOLDER } from "../../test/support/postgres-servers.ts";
import { createNeonSql } from "../../src/lib/db/neon-sql.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { nativeBinFolder } from "../../src/stack/postgres/native-server.ts";
import { startServerProcess } from "../../src/stack/postgres/server-process.ts";
import { openBenchStore } from "../support/store.ts";
import type { GrowthDatabase } from "./fill-store.ts";

export interface GrowthStore extends GrowthDatabase {
  /** As the role of the Workers. */
  readonly sql: Sql;
  close(): Promise<void>;
}

/** A graph that does not fit into maintenance_work_mem is built from disk, many times slower. */
const SETTINGS = [
  "shared_buffers=2GB",
  "effective_cache_size=6GB",
  "maintenance_work_mem=2GB",
  "max_parallel_maintenance_workers=2",
  "work_mem=16MB",
  "max_wal_size=8GB",
  "random_page_cost=1.1",
];
const TIMEOUT_MS = 60_000;

/** `server` is "native", or the `postgresql://` URL of a database with pgvector that is the bench's own, as its owner. */
export async function openGrowthStore(server: string): Promise<GrowthStore> {
  const binFolder = await nativeBinFolder(CACHE_FOLDER);
  if (!binFolder.ok) throw new Error(binFolder.error);
  const own =
    server === "native" ? await startServerProcess({ binFolder: binFolder.value, settings: SETTINGS }) : undefined;
  const ownerConnectionString = own?.connectionString() ?? server;
  const store = await openBenchStore(ownerConnectionString);
  const endpoint = store.fetchEndpoint === undefined ? {} : { fetchEndpoint: store.fetchEndpoint };
  return {
    ownerSql: store.ownerSql,
    ownerConnectionString,
    psqlPath: join(binFolder.value, "psql"),
    sql: createNeonSql({ connectionString: store.appUrl, ...endpoint, timeoutMs: TIMEOUT_MS }),
    async close() {
      await store.close();
      await own?.stop();
    },
  };
}
