import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNeonSql } from "../../src/lib/db/neon-sql.ts";
import type { Row } from "../../src/lib/db/sql.ts";
import { nativeBinFolder } from "../../src/stack/postgres/native-server.ts";
import { type PostgresServer, startServerProcess } from "../../src/stack/postgres/server-process.ts";
import type { SqlBackend } from "../../src/stack/sql-endpoint/backend.ts";
import { createPostgresBackend } from "../../src/stack/sql-endpoint/postgres-backend.ts";
import { type SqlEndpoint, startSqlEndpoint } from "../../src/stack/sql-endpoint/sql-endpoint.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends, CACHE_FOLDER } from "../support/postgres-servers.ts";

describe.each(await availableBackends(["native"]))("a server of kind %s that is killed", () => {
  let server: PostgresServer;
  let endpoint: SqlEndpoint;
  let backend: SqlBackend;

  beforeAll(async () => {
    const binFolder = expectOk(await nativeBinFolder(CACHE_FOLDER));
    server = await startServerProcess({ binFolder, settings: ["synchronous_commit=on"] });
    backend = createPostgresBackend(server);
    endpoint = await startSqlEndpoint({ backend });
  });
  afterAll(async () => {
    await endpoint.close();
    await backend.close();
    await server.stop();
  });

  const ask = async (text: string): Promise<readonly Row[]> => {
    const connectionString = server.connectionString();
    const sql = createNeonSql({ connectionString, fetchEndpoint: endpoint.url, timeoutMs: 20_000 });
    return expectOk(await sql.query(statement(text)));
  };

  it("comes back on its port with everything it had committed, and serves the connections of before", async () => {
    await ask("create table kept (n int)");
    for (const n of [1, 2, 3]) {
      await ask(`insert into kept values (${n})`);
      await server.crash();
      await expect(ask("select 1")).rejects.toThrow(/database_unavailable/);
      await server.restart();
      expect(await ask("select n::text from kept order by n")).toHaveLength(n);
    }
  });

  it("is left alone by a second crash, and by a restart of what runs", async () => {
    await server.crash();
    await server.crash();
    await server.restart();
    await server.restart();
    expect(await ask("select n::text from kept")).toHaveLength(3);
  });
});
