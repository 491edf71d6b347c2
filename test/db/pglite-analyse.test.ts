import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";

const TENANT = { tenantId: "analysed", userId: "*" };

describe("a PGlite behind the endpoint", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openTestDatabase({ backend: "pglite" });
  });
  afterAll(() => database?.close());

  const insert = (from: number, count: number) =>
    rowsIn(
      database.sql,
      TENANT,
      statement(
        `insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
         select $1, 'w' || n, 0, 'b', 'applied', 1 from generate_series($2::int, $3::int) n`,
        TENANT.tenantId,
        from,
        from + count - 1,
      ),
    );

  /** Rows that the planner reckons with; -1: it was never told. */
  const knownRows = async (): Promise<number> => {
    const read = statement("select reltuples::int as rows from pg_class where relname = 'wal_ledger'");
    return Number(expectOk(await database.ownerSql.query(read))[0]?.["rows"]);
  };

  it("tells its planner how large tables are, a few writes after they grew", async () => {
    expect(await knownRows()).toBe(-1);
    for (let job = 0; job < 60; job += 1) await insert(job * 10, 10);
    const known = await knownRows();
    expect(known).toBeGreaterThan(200);
  });

  it("goes on serving in the scope and role of each job", async () => {
    const whose = statement("select current_user as name, current_setting('default_statistics_target') as target");
    expect(expectOk(await database.sql.query(whose))).toEqual([{ name: "jeeves_app", target: "100" }]);
  });
});
