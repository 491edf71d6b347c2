import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNeonSql } from "../../src/lib/db/neon-sql.ts";
import { createRotatingSql } from "../../src/lib/db/rotating-sql.ts";
import { openDatabases } from "../../src/lib/db/open-databases.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { expectError, expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";

const [SERVER] = await availableBackends(["native", "debian"]);
if (SERVER === undefined) throw new Error("no Postgres server: only a server checks passwords");

const NOBODY = { tenantId: "", userId: "" };

describe("a database whose password is being changed", () => {
  let database: TestDatabase;
  let requests: string[] = [];
  let role = "";

  beforeAll(async () => {
    database = await openTestDatabase({ backend: SERVER });
    role = `rotated_${crypto.randomUUID().replaceAll("-", "")}`;
    expectOk(await database.ownerSql.query(statement(`create role ${role} login password 'old'`)));
  });
  afterAll(async () => {
    expectOk(await database.ownerSql.query(statement(`drop role ${role}`)));
    await database.close();
  });

  function connectionString(password: string): string {
    const url = new URL(database.connectionString);
    url.username = role;
    url.password = password;
    return url.toString();
  }

  function sqlWith(password: string): Sql {
    return createNeonSql({
      connectionString: connectionString(password),
      fetchEndpoint: database.endpointUrl,
      timeoutMs: 10_000,
      fetchFunction: (url, init) => {
        requests.push(password);
        return fetch(url, init);
      },
    });
  }

  it("answers under the old one, under the new one, and asks with the refused one no more", async () => {
    const sql = createRotatingSql([sqlWith("old"), sqlWith("new")]);
    expect(await rowsIn(sql, NOBODY, statement("select 1 as one"))).toEqual([{ one: 1 }]);
    expectOk(await database.ownerSql.query(statement(`alter role ${role} password 'new'`)));
    // A pooled connection outlives its password: another database of the same login has none.
    const elsewhere = createRotatingSql([sqlWith("older"), sqlWith("new")]);
    requests = [];
    expect(await rowsIn(elsewhere, NOBODY, statement("select 2 as two"))).toEqual([{ two: 2 }]);
    expect(expectOk(await elsewhere.query(statement("select 3 as three")))).toEqual([{ three: 3 }]);
    expect(requests).toEqual(["older", "new", "new"]);
  });

  it("goes back when the change is undone", async () => {
    expectOk(await database.ownerSql.query(statement(`alter role ${role} password 'first'`)));
    const sql = createRotatingSql([sqlWith("second"), sqlWith("first")]);
    expectOk(await sql.query(statement("select 1")));
    expectOk(await database.ownerSql.query(statement(`alter role ${role} password 'third'`)));
    const both = createRotatingSql([sqlWith("fourth"), sqlWith("third")]);
    expectOk(await both.query(statement("select 1")));
  });

  it("runs nothing twice: only a refused credential is followed by the other", async () => {
    expectOk(await database.ownerSql.query(statement(`alter role ${role} password 'good'`)));
    requests = [];
    const sql = createRotatingSql([sqlWith("good"), sqlWith("other")]);
    expect(expectError(await sql.query(statement("select 1/0"))).code).toBe("database_error");
    expect(requests).toEqual(["good"]);
  });

  it("says that both are refused, and names no password", async () => {
    const sql = createRotatingSql([sqlWith("wrong-1"), sqlWith("wrong-2")]);
    const error = expectError(await sql.query(statement("select 1")));
    expect(error.sqlState).toBe("28P01");
    expect(JSON.stringify(error)).not.toContain("wrong");
  });

  it("is what the Worker opens when the next connection string is given", async () => {
    expectOk(await database.ownerSql.query(statement(`alter role ${role} password 'rolled'`)));
    const { sql } = openDatabases(
      {
        connectionString: connectionString("before"),
        nextConnectionString: connectionString("rolled"),
        fetchEndpoint: database.endpointUrl,
      },
      { timeoutMs: 10_000 },
    );
    expect(await rowsIn(sql, NOBODY, statement("select current_user::text as name"))).toEqual([{ name: role }]);
  });
});
