import { neon, neonConfig, NeonDbError } from "@neondatabase/serverless";
import { request as httpRequest } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../../src/stack/sql-endpoint/faults.ts";
import { expectError, expectOk, openTestDatabase, statement } from "../support/database.ts";
import type { TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";

const NO_SCOPE = { tenantId: "", userId: "" };
const backends = await availableBackends(["pglite", "native", "debian"]);

describe.each(backends)("the /sql endpoint over %s", (backend) => {
  let database: TestDatabase;
  let nextFaults: (Fault | undefined)[] = [];

  beforeAll(async () => {
    database = await openTestDatabase({ backend, faults: () => nextFaults.shift() });
  });
  afterAll(() => database.close());
  beforeEach(() => {
    neonConfig.fetchEndpoint = database.endpointUrl;
  });
  afterEach(() => {
    nextFaults = [];
  });

  const driver = () => neon<false, true>(database.ownerConnectionString, { fullResults: true });

  async function rejection(promise: Promise<unknown>): Promise<NeonDbError> {
    const error: unknown = await promise.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (!(error instanceof NeonDbError)) throw new Error("expected a NeonDbError", { cause: error });
    return error;
  }

  /** What the endpoint says on the wire, without the driver. */
  async function post(body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(database.endpointUrl, {
      method: "POST",
      body,
      headers: {
        "neon-connection-string": database.ownerConnectionString,
        "neon-raw-text-output": "true",
        "neon-array-mode": "true",
        ...headers,
      },
    });
  }

  it("returns every type as the driver parses it on Neon", async () => {
    const { rows } = await driver().query(
      `select 1 as int4, 9007199254740993::int8 as int8, 1.50::numeric as numeric, true as bool, null as nothing,
        'ünï 🙂'::text as text, '\\x00ff'::bytea as bytea, '{"a": [1, null]}'::jsonb as jsonb, array[1, 2] as int_array,
        array['a,"b', null] as text_array, timestamptz '2026-01-02 03:04:05.678+02' as at, 'NaN'::float8 as nan,
        '0197a4d2-0000-7000-8000-000000000001'::uuid as uuid`,
    );
    expect(rows).toEqual([
      {
        int4: 1,
        int8: "9007199254740993",
        numeric: "1.50",
        bool: true,
        nothing: null,
        text: "ünï 🙂",
        bytea: Buffer.from([0, 255]),
        jsonb: { a: [1, null] },
        int_array: [1, 2],
        text_array: ['a,"b', null],
        at: new Date("2026-01-02T01:04:05.678Z"),
        nan: Number.NaN,
        uuid: "0197a4d2-0000-7000-8000-000000000001",
      },
    ]);
  });

  it("takes parameters of every kind, as text that Postgres types", async () => {
    const { rows } = await driver().query(
      `select $1::int4 as int4, $2::text as text, $3::jsonb as jsonb, $4::text[] as text_array, $5::bytea as bytea,
        $6::bool as bool, $7::int8 as int8, $8::timestamptz as at, $9::text as nothing, $10::float8[] as float_array`,
      [7, "a\"b\\c'd", { k: ["v"] }, ["x", 'y"z', null], Buffer.from([1, 2]), false, 5n, new Date(0), null, [1.5, -2]],
    );
    expect(rows).toEqual([
      {
        int4: 7,
        text: "a\"b\\c'd",
        jsonb: { k: ["v"] },
        text_array: ["x", 'y"z', null],
        bytea: Buffer.from([1, 2]),
        bool: false,
        int8: "5",
        at: new Date(0),
        nothing: null,
        float_array: [1.5, -2],
      },
    ]);
  });

  it("describes the columns and counts the rows", async () => {
    const result = await driver().query("select tenant_id as id, 2.5::numeric(6,2) as amount from tenants where false");
    expect(result.command).toBe("SELECT");
    expect(result.rowCount).toBe(0);
    const [id, amount] = result.fields;
    expect(id).toMatchObject({
      name: "id",
      dataTypeID: 25,
      columnID: 1,
      dataTypeSize: -1,
      dataTypeModifier: -1,
      format: "text",
    });
    expect(id?.tableID).toBeGreaterThan(0);
    expect(amount).toMatchObject({
      name: "amount",
      dataTypeID: 1700,
      tableID: 0,
      columnID: 0,
      dataTypeModifier: 393222,
    });
  });

  it("answers in the exact shape of Neon's proxy", async () => {
    const single = await post(JSON.stringify({ query: "select 'x' as a, null as b", params: [] }));
    expect(single.status).toBe(200);
    const field = { tableID: 0, columnID: 0, dataTypeSize: -1, dataTypeModifier: -1, format: "text", dataTypeID: 25 };
    expect(await single.json()).toEqual({
      fields: [
        { ...field, name: "a" },
        { ...field, name: "b" },
      ],
      rows: [["x", null]],
      command: "SELECT",
      rowCount: 1,
      rowAsArray: true,
    });
    const insert = "insert into tenants (tenant_id) values ('shape-a'), ('shape-b')";
    const batch = await post(
      JSON.stringify({ queries: [{ query: insert }, { query: "create temp table t (a int)" }] }),
    );
    expect(await batch.json()).toEqual({
      results: [
        { fields: [], rows: [], command: "INSERT", rowCount: 2, rowAsArray: true },
        { fields: [], rows: [], command: "CREATE", rowCount: null, rowAsArray: true },
      ],
    });
  });

  it("runs a batch as one transaction: a failure undoes all of it", async () => {
    const sql = driver();
    const error = await rejection(
      sql.transaction([sql`insert into tenants (tenant_id) values ('undone')`, sql`select 1 / 0`]),
    );
    expect(error.code).toBe("22012");
    expect((await sql`select 1 from tenants where tenant_id = 'undone'`).rowCount).toBe(0);
    await sql.transaction([
      sql`insert into tenants (tenant_id) values ('kept')`,
      sql`update tenants set display_name = 'Kept' where tenant_id = 'kept'`,
    ]);
    expect((await sql`select display_name from tenants where tenant_id = 'kept'`).rows).toEqual([
      { display_name: "Kept" },
    ]);
  });

  it("honours and echoes isolation, read only and deferrable", async () => {
    const queries = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"].map((name) => ({
      query: `show ${name}`,
    }));
    const headers = {
      "neon-batch-isolation-level": "Serializable",
      "neon-batch-read-only": "true",
      "neon-batch-deferrable": "true",
    };
    const response = await post(JSON.stringify({ queries }), headers);
    expect(await response.json()).toMatchObject({
      results: [{ rows: [["serializable"]] }, { rows: [["on"]] }, { rows: [["on"]] }],
    });
    expect(Object.fromEntries(response.headers)).toMatchObject(headers);
    const plain = await post(JSON.stringify({ queries }));
    expect(await plain.json()).toMatchObject({
      results: [{ rows: [["read committed"]] }, { rows: [["off"]] }, { rows: [["off"]] }],
    });
    expect(plain.headers.has("neon-batch-isolation-level")).toBe(false);
    const sql = driver();
    const refused = await rejection(sql.transaction([sql`create table never (a int)`], { readOnly: true }));
    expect(refused.code).toBe("25006");
    expect((await post(JSON.stringify({ queries }), { "neon-batch-isolation-level": "Chaos" })).status).toBe(400);
  });

  it("passes on every field of an error", async () => {
    const sql = driver();
    await sql`insert into tenants (tenant_id) values ('twice')`;
    const error = await rejection(sql.query("insert into tenants (tenant_id) values ('twice')"));
    expect(error).toMatchObject({
      code: "23505",
      severity: "ERROR",
      schema: "public",
      table: "tenants",
      constraint: "tenants_pkey",
      detail: "Key (tenant_id)=(twice) already exists.",
      routine: "_bt_check_unique",
    });
    expect(error.message).toContain("duplicate key value");
    expect(await rejection(sql.query("select nothing"))).toMatchObject({ code: "42703", position: "8" });
    const inside = await rejection(sql.query("do $$ begin execute 'selec 1'; end $$"));
    expect(inside).toMatchObject({ code: "42601", internalQuery: "selec 1", internalPosition: "1" });
    expect(inside.where).toContain("PL/pgSQL function");
  });

  it("refuses a second statement in one query", async () => {
    const sql = driver();
    expect(await rejection(sql.query("select 1; select 2"))).toMatchObject({ code: "42601" });
    expect(await rejection(sql.transaction([sql.query("select 1; select 2")]))).toMatchObject({ code: "42601" });
  });

  it("runs VACUUM and CREATE INDEX CONCURRENTLY alone and refuses them in a batch", async () => {
    const sql = driver();
    await sql.query("vacuum tenants");
    await sql.query("create index concurrently tenants_name on tenants (display_name)");
    await sql.query("drop index concurrently tenants_name");
    expect(await rejection(sql.transaction([sql.query("vacuum tenants")]))).toMatchObject({ code: "25001" });
  });

  it("survives COPY, an empty query, and a NUL in text, a statement or a name", async () => {
    const sql = driver();
    expect(await rejection(sql.query("copy tenants from stdin"))).toMatchObject({ code: "57014" });
    expect((await sql.query("")).rows).toEqual([]);
    expect(await rejection(sql.query("select $1::text", ["a\0b"]))).toMatchObject({ code: "22021" });
    expect((await rejection(sql.query("select 1 \0"))).message).toContain("NUL");
    expect((await rejection(sql.query("select $1::text", ["\ud800"]))).message).toContain("surrogate");
    expect((await sql.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("leaves nothing of one request to the next: settings, role, temporary tables, locks, prepared statements, open transactions", async () => {
    const single = await openTestDatabase({ backend, connectionsMax: 1 });
    neonConfig.fetchEndpoint = single.endpointUrl;
    const sql = neon(single.ownerConnectionString);
    await sql.query("set statement_timeout = 12345");
    await sql.query("select set_config('app.tenant_id', 'leaked', false)");
    await sql.query("set role jeeves_app");
    expect(await sql.query("select current_user as name")).toEqual([{ name: "postgres" }]);
    await sql.query("set session authorization jeeves_app");
    expect(await sql.query("select session_user as name")).toEqual([{ name: "postgres" }]);
    await sql.query("create temp table leaked (a int)");
    await sql.query("prepare leaked as select 1");
    await sql.query("select pg_advisory_lock(42)");
    await sql.query("listen leaked");
    await sql.query("begin");
    await sql.query("insert into tenants (tenant_id) values ('committed-alone')");
    await sql.query("rollback");
    expect(await sql.query("select 1 as n from tenants")).toEqual([{ n: 1 }]);
    expect(await sql.query("show statement_timeout")).toEqual([{ statement_timeout: "0" }]);
    expect(await sql.query("select nullif(current_setting('app.tenant_id', true), '') as t")).toEqual([{ t: null }]);
    expect(await sql.query("select to_regclass('pg_temp.leaked') as t")).toEqual([{ t: null }]);
    expect(await sql.query("select 1 from pg_prepared_statements where name = 'leaked'")).toEqual([]);
    expect(await sql.query("select 1 from pg_locks where locktype = 'advisory'")).toEqual([]);
    expect(await sql.query("select pg_listening_channels()")).toEqual([]);
    await single.close();
  });

  it("serves the user of the connection string and no other", async () => {
    const app = neon(database.connectionString);
    expect(await app`select current_user as u, session_user as s`).toEqual([{ u: "jeeves_app", s: "jeeves_app" }]);
    expect(await rejection(app`create table mine (a int)`)).toMatchObject({ code: "42501" });
    expect(await neon(database.ownerConnectionString)`select current_user as u`).toEqual([{ u: "postgres" }]);
    const nobody = neon(database.connectionString.replace("jeeves_app", "nobody_here"));
    expect((await rejection(nobody`select 1`)).code).toMatch(/^28/);
  });

  it("answers 507 for a body or a result over the limit and serves the next request", async () => {
    const sql = driver();
    const large = await rejection(sql.query("select repeat('x', 1000) from generate_series(1, 70000)"));
    expect(large.message).toContain("HTTP status 507");
    const wide = { query: "select length($1::text)", params: ["x".repeat(68 * 1024 * 1024)] };
    expect((await post(JSON.stringify(wide))).status).toBe(507);
    expect(expectError(await database.sql.query(statement("select repeat('x', 70000000)")))).toMatchObject({
      code: "too_large",
      retryable: false,
    });
    expect((await sql.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("refuses what is no request of the driver", async () => {
    const body = JSON.stringify({ query: "select 1", params: [] });
    for (const bad of ["", "{", "[]", '{"query":1}', '{"queries":[{"params":[]}]}']) {
      expect((await post(bad)).status).toBe(400);
    }
    expect((await post(body, { "neon-connection-string": "mysql://a@b/c" })).status).toBe(400);
    expect((await post(body, { "neon-connection-string": "postgres://host" })).status).toBe(400);
    expect((await post(body, { "neon-raw-text-output": "false" })).status).toBe(400);
    expect((await fetch(database.endpointUrl)).status).toBe(404);
    expect((await fetch(new URL("/health", database.endpointUrl))).status).toBe(200);
  });

  it("serves only loopback host names, so that no web page reaches it by rebinding its own", async () => {
    const { port } = new URL(database.endpointUrl);
    const status = await new Promise((resolve, reject) => {
      httpRequest({ host: "127.0.0.1", port, path: "/health", headers: { host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it("ends the transaction of a client that hung up", async () => {
    const timedOut = await database.ownerSql.transaction(
      NO_SCOPE,
      [
        statement("insert into tenants (tenant_id) values ('hung-up')"),
        statement("select pg_sleep(1)"),
        statement("update tenants set display_name = 'x' where tenant_id = 'hung-up'"),
      ],
      { timeoutMs: 150 },
    );
    expect(expectError(timedOut)).toMatchObject({ code: "database_timeout", retryable: true });
    const rows = "select display_name from tenants where tenant_id = 'hung-up'";
    if (backend === "pglite") {
      // Its one thread cannot hear a client in its own process hang up, so it may have committed: whole or not at all.
      const left = expectOk(await database.ownerSql.query(statement(rows)));
      expect([[], [{ display_name: "x" }]]).toContainEqual(left);
      return;
    }
    // The key is free again only once the transaction is over, so this also waits for it.
    expectOk(await database.ownerSql.query(statement("insert into tenants (tenant_id) values ('hung-up')")));
    expect(expectOk(await database.ownerSql.query(statement(rows)))).toEqual([{ display_name: "" }]);
  });

  it("commits the faults it is asked to commit", async () => {
    const insert = (id: string) => statement("insert into tenants (tenant_id) values ($1) returning tenant_id", id);
    const count = async (id: string) =>
      expectOk(await database.ownerSql.query(statement("select 1 from tenants where tenant_id = $1", id))).length;

    nextFaults = [{ kind: "status", status: 503 }];
    expect(expectError(await database.ownerSql.query(insert("fault-status")))).toMatchObject({
      code: "database_unavailable",
    });
    expect(await count("fault-status")).toBe(0);

    nextFaults = [{ kind: "drop_before" }];
    expect(expectError(await database.ownerSql.query(insert("fault-before")))).toMatchObject({ retryable: true });
    expect(await count("fault-before")).toBe(0);

    nextFaults = [{ kind: "drop_after_commit" }];
    const lost = await database.ownerSql.transaction(NO_SCOPE, [insert("fault-after")]);
    expect(expectError(lost)).toMatchObject({ code: "database_unavailable", retryable: true });
    expect(await count("fault-after")).toBe(1);

    nextFaults = [{ kind: "delay", delayMs: 500 }];
    const late = await database.ownerSql.query(insert("fault-delay"), { timeoutMs: 50 });
    expect(expectError(late)).toMatchObject({ code: "database_timeout" });
  });

  it("lets clients of two endpoints work at the same time in one process", async () => {
    const other = await openTestDatabase({ backend });
    const insert = (id: string) => statement("insert into tenants (tenant_id) values ($1)", id);
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const target = i % 2 === 0 ? database : other;
        expectOk(await target.ownerSql.query(insert(`${i % 2 === 0 ? "here" : "there"}-${i}`)));
      }),
    );
    const ids = expectOk(await other.ownerSql.query(statement("select tenant_id from tenants")));
    expect(ids).toHaveLength(10);
    expect(ids.every(({ tenant_id }) => String(tenant_id).startsWith("there-"))).toBe(true);
    await other.close();
  });

  it("keeps 50 requests at once apart", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        database.sql.transaction({ tenantId: `tenant-${i}`, userId: "*" }, [
          statement("select current_setting('app.tenant_id') as tenant, $1::int4 as number", i),
        ]),
      ),
    );
    expect(answers.map((answer) => expectOk(answer)[0])).toEqual(
      Array.from({ length: 50 }, (_, i) => [{ tenant: `tenant-${i}`, number: i }]),
    );
  });
});
