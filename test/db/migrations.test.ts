import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { migrate } from "../../src/cli/commands/migrate.ts";
import { readMigrationFiles } from "../../src/cli/schema/migration-files.ts";
import { sha256HexSync } from "../../src/lib/base/hash.ts";
import { readMigrations } from "../../src/lib/db/migrate.ts";
import type { MigrationFile } from "../../src/lib/db/migrate.ts";
import { runMigrations } from "../../src/lib/db/run-migrations.ts";
import type { Row, Sql } from "../../src/lib/db/sql.ts";
import { expectOk, openTestDatabase, statement } from "../support/database.ts";
import type { TestDatabase } from "../support/database.ts";
import { availableBackends, MIGRATIONS_FOLDER } from "../support/postgres-servers.ts";

const backends = await availableBackends(["pglite", "native", "jsonb", "debian"]);
const servers = await availableBackends(["native"]);

const open: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((database) => database.close()));
});

async function emptyDatabase(backend: (typeof backends)[number]): Promise<TestDatabase> {
  const database = await openTestDatabase({ backend, isMigrated: false });
  open.push(database);
  return database;
}

function run(sql: Sql, files: readonly MigrationFile[]) {
  return runMigrations({ sql, files, holder: randomUUID(), sleep: () => setTimeout(5) });
}

async function rowsOf(sql: Sql, text: string): Promise<readonly Row[]> {
  return expectOk(await sql.query(statement(text)));
}

const FIRST: MigrationFile = {
  fileName: "0001_first.sql",
  text: "create table first (a int); insert into first values (1);",
};
const SECOND: MigrationFile = { fileName: "0002_second.sql", text: "create table second (a int);" };
const INDEX: MigrationFile = {
  fileName: "0002_index.sql",
  text: "-- no-transaction\ncreate unique index concurrently if not exists first_a on first (a);\nvacuum first;",
};

describe.each(backends)("migrations on %s", (backend) => {
  it("apply once when 20 runners start together, and never again", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    const files = await readMigrationFiles(MIGRATIONS_FOLDER);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => run(ownerSql, files)));
    const hasVector = backend === "pglite" || backend === "native";
    const applied = outcomes.flatMap((outcome) => expectOk(outcome).applied.map(({ version }) => version));
    const rows = await rowsOf(ownerSql, "select version, variant from schema_migrations order by version");
    expect(applied.sort((a, b) => a - b)).toEqual(rows.map(({ version }) => version));
    expect(rows.length).toBe(new Set(files.map(({ fileName }) => fileName.slice(0, 4))).size);
    expect(rows[1]).toEqual({ version: 2, variant: hasVector ? "vector" : "jsonb" });
    expect(expectOk(await run(ownerSql, files)).applied).toEqual([]);
  });

  it("leave nothing of a migration that fails, keep those before it, and go on once it is mended", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    const broken = { fileName: "0002_second.sql", text: "create table second (a int); select 1 / 0;" };
    const outcome = await run(ownerSql, [FIRST, broken]);
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: "migration_failed", message: expect.stringContaining("22012") },
    });
    expect(await rowsOf(ownerSql, "select to_regclass('first')::text as a, to_regclass('second')::text as b")).toEqual([
      { a: "first", b: null },
    ]);
    expect(expectOk(await run(ownerSql, [FIRST, SECOND])).applied.map(({ name }) => name)).toEqual(["second"]);
  });

  it("refuse an edited, a missing, a renamed and a late file, and change nothing", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    expectOk(await run(ownerSql, [FIRST, SECOND]));
    const third = { fileName: "0003_third.sql", text: "create table third (a int)" };
    const edited = { ...FIRST, text: `${FIRST.text} -- better` };
    const refusals: [MigrationFile[], string][] = [
      [[edited, SECOND, third], "migration_edited"],
      [[FIRST], "migration_missing"],
      [[{ ...FIRST, fileName: "0001_renamed.sql" }, SECOND, third], "migration_edited"],
    ];
    for (const [files, code] of refusals) {
      expect(await run(ownerSql, files)).toMatchObject({ ok: false, error: { code } });
    }
    expect(await rowsOf(ownerSql, "select to_regclass('third')::text as t")).toEqual([{ t: null }]);
    expect((await run(ownerSql, [{ ...FIRST, text: FIRST.text.replaceAll("\n", "\r\n") }, SECOND])).ok).toBe(true);
  });

  it("run a no-transaction file statement by statement, once among 10 runners", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => run(ownerSql, [FIRST, INDEX])));
    expect(outcomes.flatMap((outcome) => expectOk(outcome).applied)).toHaveLength(2);
    expect(await rowsOf(ownerSql, "select indisvalid from pg_index where indexrelid = 'first_a'::regclass")).toEqual([
      { indisvalid: true },
    ]);
    expect(await rowsOf(ownerSql, "select 1 from migration_leases")).toEqual([]);
  });

  it("repeat a no-transaction file after an interruption: the invalid index is built anew", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    expectOk(await run(ownerSql, [FIRST]));
    expectOk(await ownerSql.query(statement("insert into first values (1)")));
    const failed = await run(ownerSql, [FIRST, INDEX]);
    expect(failed).toMatchObject({ ok: false, error: { sqlError: { code: "unique_violation" } } });
    const index = "select indisvalid from pg_index where indexrelid = to_regclass('first_a')";
    expect(await rowsOf(ownerSql, index)).toEqual([{ indisvalid: false }]);
    expectOk(await ownerSql.query(statement("delete from first where ctid = '(0,2)'")));
    expect(expectOk(await run(ownerSql, [FIRST, INDEX])).applied).toHaveLength(1);
    expect(await rowsOf(ownerSql, index)).toEqual([{ indisvalid: true }]);
  });

  it("take over from a runner whose lease has expired and wait for one whose lease is good", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    expectOk(await run(ownerSql, [FIRST]));
    const lease = "insert into migration_leases values (2, 'gone', now() + $1::interval)";
    expectOk(await ownerSql.query(statement(lease, "1 hour")));
    let waits = 0;
    const outcome = await runMigrations({
      sql: ownerSql,
      files: [FIRST, INDEX],
      holder: "second",
      sleep: () => setTimeout(1),
      onWaiting: () => {
        waits += 1;
        if (waits === 3)
          void ownerSql.query(statement("update migration_leases set expires_at = now() - interval '1 s'"));
      },
    });
    expect(expectOk(outcome).applied).toHaveLength(1);
    expect(waits).toBeGreaterThanOrEqual(3);
  });

  it("keep the variant a database was begun with", async () => {
    const { ownerSql } = await emptyDatabase(backend);
    const files = [
      { fileName: "0001_store.jsonb.sql", text: "create table store (v jsonb)" },
      { fileName: "0001_store.vector.sql", text: "create table store (v text)" },
    ];
    const { variant } = expectOk(await run(ownerSql, files));
    const other = variant === "vector" ? "jsonb" : "vector";
    const text = files.find(({ fileName }) => fileName.includes(other))?.text ?? "";
    expectOk(
      await ownerSql.query(
        statement("update schema_migrations set variant = $1, checksum = $2", other, sha256HexSync(text)),
      ),
    );
    expect(expectOk(await run(ownerSql, files))).toEqual({ variant: other, applied: [] });
  });
});

describe.each(servers)("migrations on %s, interrupted", (backend) => {
  it("lose nothing when the server drops the connection or the reply, at whichever request", async () => {
    const files = await readMigrationFiles(MIGRATIONS_FOLDER);
    for (const kind of ["drop_before", "drop_after_commit"] as const) {
      for (let failing = 0; ; failing += 1) {
        let hasFailed = false;
        let isRunning = true;
        const database = await openTestDatabase({
          backend,
          isMigrated: false,
          faults: ({ index }) => {
            hasFailed ||= index === failing && isRunning;
            return index === failing && isRunning ? { kind } : undefined;
          },
        });
        open.push(database);
        expectOk(await run(database.ownerSql, files));
        isRunning = false;
        const rows = await rowsOf(database.ownerSql, "select version from schema_migrations order by version");
        expect(rows).toEqual(
          expectOk(readMigrations(files)).flatMap(({ version, variant }) => (variant === "jsonb" ? [] : [{ version }])),
        );
        if (hasFailed) continue;
        // Every request of a run has failed once.
        expect(failing).toBeGreaterThan(5);
        break;
      }
    }
  });
});

describe("npm run migrate", () => {
  it("migrates a PGlite folder, says what it did, and refuses a folder that is in use", async () => {
    const parent = await mkdtemp(join(tmpdir(), "jeeves-migrate-"));
    const lines: string[] = [];
    const options = {
      databaseUrl: `pglite:${join(parent, "data")}`,
      migrationsFolder: MIGRATIONS_FOLDER,
      print: (line: string) => void lines.push(line),
    };
    const [first, second] = await Promise.all([migrate(options), migrate(options)]);
    expect([first, second].filter((outcome) => outcome.ok)).toHaveLength(1);
    expect([first, second].find((outcome) => !outcome.ok)).toMatchObject({
      error: { code: "database_url_invalid", message: expect.stringContaining("is in use by process") },
    });
    expect(lines[0]).toBe("applied 0001_core");
    expect(lines.at(-1)).toBe(`${lines.length - 1} applied, vectors as vector`);
    expectOk(await migrate(options));
    expect(lines.at(-1)).toBe("nothing to do, vectors as vector");
    await rm(parent, { recursive: true });
  });

  it("says in one sentence what is wrong with DATABASE_URL, without the password", async () => {
    for (const databaseUrl of ["mysql://a:secret@b/c", "postgresql://", "", "pglite"]) {
      const outcome = await migrate({ databaseUrl, migrationsFolder: MIGRATIONS_FOLDER, print: () => undefined });
      expect(outcome).toMatchObject({ ok: false, error: { code: "database_url_invalid" } });
      expect(JSON.stringify(outcome)).not.toContain("secret");
    }
  });
});
