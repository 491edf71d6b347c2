import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { connectionVariables } from "../../ops/pgdump/connection-variables.ts";
import { dumpDatabase } from "../../ops/pgdump/dump-database.ts";
import { debianBinFolder } from "../support/debian-server.ts";
import { nativeBinFolder } from "../../src/stack/postgres/native-server.ts";
import { expectOk, openTestDatabase, statement } from "../support/database.ts";
import { availableBackends, CACHE_FOLDER } from "../support/postgres-servers.ts";
import { rowSetHashes } from "../support/row-set-hash.ts";
import { backUp, backupContext } from "./support/backups.ts";
import { BACKUP_JOB } from "../../src/lib/flows/backups/backup-job.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const runFile = promisify(execFile);
const backends = await availableBackends(["native", "debian"]);

describe.each(backends)("pg_dump on %s", (backend) => {
  let world: World;
  let folder: string;
  let binFolder: string;
  beforeAll(async () => {
    binFolder = expectOk(backend === "native" ? await nativeBinFolder(CACHE_FOLDER) : await debianBinFolder());
    folder = await mkdtemp(join(tmpdir(), "jeeves-pgdump-"));
    world = await openWorld(backend);
    const insert = statement("insert into tenants (tenant_id) values ('dumped')");
    expectOk(await world.database.ownerSql.transaction({ tenantId: "dumped", userId: "*" }, [insert]));
    await world.ingest("dumped", [{ id: "a", text: "The token of the jet is in the boundary layer." }]);
    await world.indexQueued();
    await backUp(world);
  });
  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const options = (databaseUrl: string) => ({
    databaseUrl,
    folder,
    binFolder,
    recipient: undefined,
    nowMs: world.nowMs,
  });

  it("has every row: pg_restore gives the same rows, and the next backup knows that it is another database", async () => {
    const dump = expectOk(await dumpDatabase(options(world.database.ownerConnectionString)));
    expect((await stat(dump.path)).mode & 0o777).toBe(0o600);
    const restored = await openTestDatabase({ backend, isMigrated: false });
    const env = { ...process.env, ...connectionVariables(restored.ownerConnectionString) };
    await runFile(join(binFolder, "pg_restore"), ["--exit-on-error", "--dbname", env["PGDATABASE"] ?? "", dump.path], {
      env,
    });
    expect(await rowSetHashes(restored.ownerSql)).toEqual(await rowSetHashes(world.database.ownerSql));
    world.nowMs += HOUR_MS;
    expectOk(await runTicked(backupContext(world, restored), BACKUP_JOB));
    const { objects } = await world.bucket.list({ prefix: "backups/" });
    const newest = objects.findLast(({ key }) => key.endsWith("/dumped/tenant.json"))?.key ?? "";
    expect(await (await world.bucket.get(newest))?.json()).toMatchObject({ base: null });
    await restored.close();
  });

  it("is refused for a role that would see no rows, and says nothing of the password", async () => {
    const refused = await dumpDatabase(options(world.database.connectionString));
    expect(refused).toMatchObject({ ok: false, error: expect.stringContaining("row-level security") });
    const wrong = new URL(world.database.connectionString);
    wrong.password = "secret-that-is-wrong";
    wrong.username = "nobody";
    const failed = await dumpDatabase(options(wrong.href));
    expect(failed.ok).toBe(false);
    expect(JSON.stringify(failed)).not.toContain("secret-that-is-wrong");
  });
});

describe.runIf(backends.includes("native") && backends.includes("debian"))(
  "a pg_dump that is older than the server",
  () => {
    it("is not used", async () => {
      const database = await openTestDatabase({ backend: "native" });
      const folder = await mkdtemp(join(tmpdir(), "jeeves-pgdump-"));
      const refused = await dumpDatabase({
        databaseUrl: database.ownerConnectionString,
        folder,
        binFolder: expectOk(await debianBinFolder()),
        recipient: undefined,
        nowMs: 0,
      });
      expect(refused).toMatchObject({ ok: false, error: expect.stringContaining("version 15, the server 18") });
      await rm(folder, { recursive: true });
      await database.close();
    });
  },
);

describe("the variables of a connection string", () => {
  it("hold all of it, ask for TLS from elsewhere, and nothing of another kind", () => {
    expect(connectionVariables("postgresql://us%40er:p%2Fw@db.example.org/main?channel_binding=require&x=1")).toEqual({
      PGHOST: "db.example.org",
      PGPORT: "5432",
      PGUSER: "us@er",
      PGPASSWORD: "p/w",
      PGDATABASE: "main",
      PGSSLMODE: "require",
      PGCHANNELBINDING: "require",
    });
    expect(connectionVariables("mysql://a@b/c")).toBeUndefined();
    expect(connectionVariables("")).toBeUndefined();
  });
});
