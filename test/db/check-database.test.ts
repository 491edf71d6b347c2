import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkDatabase, type DatabaseFacts, databaseFaultOf, TENANT_TABLES } from "../../src/lib/db/check-database.ts";
import { expectOk, openTestDatabase, statement, type TestDatabase } from "../support/database.ts";

const GOOD: DatabaseFacts = {
  table_count: TENANT_TABLES.length,
  unforced_count: 0,
  owned_count: 0,
  invalid_index_count: 0,
  bypasses: false,
  vector_version: "0.8.4",
  vector_is_used: true,
};

describe("the start-up check of the database", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openTestDatabase({ backend: "pglite" });
  });
  afterAll(() => database?.close());

  it("finds nothing wrong with a migrated database and the Workers' role", async () => {
    expect(await checkDatabase(database.sql)).toBeUndefined();
  });

  it("looks at every table that has row-level security", async () => {
    const rows = expectOk(
      await database.ownerSql.query(
        statement(
          "select relname from pg_class where relkind in ('r', 'p') and relrowsecurity and not relispartition order by 1",
        ),
      ),
    );
    expect(rows.map((row) => row["relname"])).toEqual([...TENANT_TABLES]);
  });

  it("refuses a role that bypasses row-level security", async () => {
    expect(await checkDatabase(database.ownerSql)).toBe("role_bypasses_row_security");
  });

  it("notices a table whose row-level security is not forced", async () => {
    expectOk(await database.ownerSql.query(statement("alter table documents no force row level security")));
    expect(await checkDatabase(database.sql)).toBe("row_security_not_forced");
    expectOk(await database.ownerSql.query(statement("alter table documents force row level security")));
    expect(await checkDatabase(database.sql)).toBeUndefined();
  });

  it("notices that the role came to own tables", async () => {
    expectOk(await database.ownerSql.query(statement("alter table receipts owner to jeeves_app")));
    expect(await checkDatabase(database.sql)).toBe("role_owns_tables");
    expectOk(await database.ownerSql.query(statement("alter table receipts owner to postgres")));
  });

  it("says so when the schema is not there", async () => {
    const empty = await openTestDatabase({ backend: "pglite", isMigrated: false });
    expect(await checkDatabase(empty.ownerSql)).toBe("schema_missing");
    await empty.close();
  });

  it("compares extension versions by number and part", () => {
    const faultOf = (version: string | null): string | undefined =>
      databaseFaultOf({ ...GOOD, vector_version: version });
    expect([faultOf("0.8.4"), faultOf("0.8.10"), faultOf("0.10.0"), faultOf("1.0")]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([faultOf("0.8.3"), faultOf("0.7.9"), faultOf(null)]).toEqual(Array(3).fill("vector_extension_too_old"));
    expect(databaseFaultOf({ ...GOOD, vector_version: null, vector_is_used: false })).toBeUndefined();
    expect(databaseFaultOf({ ...GOOD, invalid_index_count: 1 })).toBe("index_invalid");
  });
});
