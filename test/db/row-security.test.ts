import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Row, Scope, Statement } from "../../src/lib/db/sql.ts";
import { keyLookupStatement } from "../../src/lib/db/sql.ts";
import { expectError, expectOk, openTestDatabase, rowsIn, statement } from "../support/database.ts";
import type { TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { insertSample, tablesOf } from "../support/sample-rows.ts";
import type { Table } from "../support/sample-rows.ts";

const backends = await availableBackends(["pglite", "native", "debian"]);

/** Tables that belong to no tenant. Every other one has to be isolated. */
const SYSTEM_TABLES = [
  "embedding_models",
  "job_leases",
  "job_runs",
  "migration_leases",
  "schema_migrations",
  "search_indexes",
];
/** Functions that act as their owner; each needs a suite of its own that it keeps to the caller's scope. */
const DEFINER_FUNCTIONS = ["search_lexical_keys"];
const TENANTS = ["alpha", "beta"];
const USERS = ["", "u1", "u2"];
const FORBIDDEN = { code: "database_error", sqlState: "42501", retryable: false };

// No statement below carries the application's own tenant or user filter: what holds here, row security holds alone.
describe.each(backends)("row-level security on %s, without any filter in the query", (backend) => {
  let database: TestDatabase;
  let tables: readonly Table[] = [];

  beforeAll(async () => {
    database = await openTestDatabase({ backend });
    tables = (await tablesOf(database.ownerSql)).filter(({ name }) => !SYSTEM_TABLES.includes(name));
    for (const table of tables) await seed(table);
  });
  afterAll(() => database.close());

  const hasUser = (table: Table) => table.columns.includes("user_id");
  const scope = (tenantId: string, userId: string): Scope => ({ tenantId, userId });
  const isTenants = (table: Table) => table.name === "tenants";

  /** Gives the table one row for each tenant and user, and no other. */
  async function seed(table: Table): Promise<void> {
    const rows = TENANTS.flatMap((tenant_id) =>
      (hasUser(table) ? USERS : [""]).map((user_id) => insertSample(table, { tenant_id, user_id })),
    );
    const needed = TENANTS.map((id) =>
      statement("insert into tenants (tenant_id) values ($1) on conflict do nothing", id),
    );
    expectOk(
      await database.ownerSql.transaction(scope("", ""), [
        statement(`delete from ${table.name}`),
        ...(isTenants(table) ? [] : needed),
        ...rows,
      ]),
    );
  }

  async function privileges(table: Table): Promise<Row> {
    const text = ["insert", "update", "delete"].map(
      (right) => `has_table_privilege('jeeves_app', '${table.name}', '${right}') as "${right}"`,
    );
    return expectOk(await database.ownerSql.query(statement(`select ${text.join(", ")}`)))[0] ?? {};
  }

  async function owners(as: Scope, text: string): Promise<readonly string[]> {
    const rows = await rowsIn(database.sql, as, statement(text));
    return rows.map((row) => `${String(row["tenant_id"])}/${String(row["user_id"])}`).sort();
  }

  const run = (as: Scope, ...statements: readonly Statement[]) => database.sql.transaction(as, statements);

  /** Reads, updates and deletes everything it can reach, and says whose rows those were. */
  async function reach(table: Table, as: Scope): Promise<Record<string, readonly string[]>> {
    await seed(table);
    const own = hasUser(table) ? "tenant_id, user_id" : "tenant_id, '' as user_id";
    const rights = await privileges(table);
    const reached: Record<string, readonly string[]> = { read: await owners(as, `select ${own} from ${table.name}`) };
    if (rights["update"] === true) {
      reached["updated"] = await owners(as, `update ${table.name} set tenant_id = tenant_id returning ${own}`);
    }
    if (rights["delete"] === true) reached["deleted"] = await owners(as, `delete from ${table.name} returning ${own}`);
    return reached;
  }

  async function expectReach(table: Table, as: Scope, expected: { read: string[]; written: string[] }): Promise<void> {
    const { read, ...written } = await reach(table, as);
    expect(read, `read from ${table.name}`).toEqual(expected.read);
    for (const [how, rows] of Object.entries(written))
      expect(rows, `${how} in ${table.name}`).toEqual(expected.written);
  }

  it("is on and forced for every table that is not the system's", async () => {
    const unprotected = expectOk(
      await database.ownerSql.query(
        statement(`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
          and not relispartition and not (relrowsecurity and relforcerowsecurity) order by relname`),
      ),
    );
    expect(unprotected.map(({ relname }) => relname)).toEqual(SYSTEM_TABLES);
    expect(tables.length).toBeGreaterThanOrEqual(11);
    expect(tables.every(({ columns }) => columns.includes("tenant_id"))).toBe(true);
  });

  it("cannot be stepped around: the role owns nothing, bypasses nothing, has no partition, view or owner's function", async () => {
    const facts = await database.ownerSql.transaction(scope("", ""), [
      statement(`select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as powerful
        from pg_roles where rolname = 'jeeves_app'`),
      statement("select relname from pg_class where relowner = 'jeeves_app'::regrole"),
      statement("select roleid::regrole::text from pg_auth_members where member = 'jeeves_app'::regrole"),
      statement(`select relname from pg_class where relispartition and relkind in ('r', 'p')
        and has_table_privilege('jeeves_app', oid, 'select, insert, update, delete, truncate')`),
      statement(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm', 'f')",
      ),
      statement(`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and has_table_privilege('jeeves_app', oid, 'truncate, references, trigger')`),
      statement("select has_schema_privilege('jeeves_app', 'public', 'create') as creates"),
      statement(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef order by proname",
      ),
    ]);
    const [role, owned, memberships, partitions, views, truncates, schema, definers = []] = expectOk(facts);
    expect(role).toEqual([{ powerful: false }]);
    expect([owned, memberships, partitions, views, truncates]).toEqual([[], [], [], [], []]);
    expect(schema).toEqual([{ creates: false }]);
    expect(definers.map(({ proname }) => proname).filter((name) => !DEFINER_FUNCTIONS.includes(String(name)))).toEqual(
      [],
    );
    const direct = await database.sql.query(statement("select 1 from doc_embeddings_p00"));
    expect(expectError(direct)).toMatchObject(FORBIDDEN);
  });

  it("shows and changes nothing where no tenant is set", async () => {
    for (const table of tables) {
      await expectReach(table, scope("", "*"), { read: [], written: [] });
      expect(expectOk(await database.sql.query(statement(`select 1 from ${table.name}`)))).toEqual([]);
      const insert = insertSample(table, { tenant_id: "alpha", user_id: "" });
      expect(expectError(await run(scope("", "*"), insert))).toMatchObject(FORBIDDEN);
      expect(expectError(await database.sql.query(insert))).toMatchObject(FORBIDDEN);
    }
  });

  it("keeps '*' inside its tenant, for reading, writing and moving rows out", async () => {
    for (const table of tables) {
      const all = (hasUser(table) ? USERS : [""]).map((user) => `alpha/${user}`);
      await expectReach(table, scope("alpha", "*"), { read: all, written: all });
      await seed(table);
      const rights = await privileges(table);
      const foreign = insertSample(table, { tenant_id: "beta", user_id: "u1" });
      expect(expectError(await run(scope("alpha", "*"), foreign))).toMatchObject(FORBIDDEN);
      if (rights["update"] === true) {
        const move = statement(`update ${table.name} set tenant_id = 'beta'`);
        expect(expectError(await run(scope("alpha", "*"), move))).toMatchObject(FORBIDDEN);
      }
      const own = insertSample(table, { tenant_id: isTenants(table) ? "gamma" : "alpha", user_id: "u2" });
      expect((await run(scope(isTenants(table) ? "gamma" : "alpha", "*"), own)).ok).toBe(true);
    }
  });

  it("shows a user their own and the shared rows, and lets them change their own only", async () => {
    // The user_id of an api key says whom it acts for; keys belong to the tenant.
    for (const table of tables.filter((each) => hasUser(each) && each.name !== "api_keys")) {
      await expectReach(table, scope("alpha", "u1"), { read: ["alpha/", "alpha/u1"], written: ["alpha/u1"] });
      await expectReach(table, scope("alpha", ""), { read: ["alpha/"], written: ["alpha/"] });
      await seed(table);
      const rights = await privileges(table);
      for (const user_id of ["u2", ""]) {
        const foreign = insertSample(table, { tenant_id: "alpha", user_id });
        expect(expectError(await run(scope("alpha", "u1"), foreign))).toMatchObject(FORBIDDEN);
        if (rights["update"] !== true) continue;
        const move = statement(`update ${table.name} set user_id = $1`, user_id);
        expect(expectError(await run(scope("alpha", "u1"), move))).toMatchObject(FORBIDDEN);
      }
      expect((await run(scope("alpha", "u1"), insertSample(table, { tenant_id: "alpha", user_id: "u1" }))).ok).toBe(
        true,
      );
    }
  });

  it("shows what belongs to the whole tenant to no user, not even where no user is named", async () => {
    const table = tables.find(({ name }) => name === "artifacts");
    if (table === undefined) throw new Error("there is no table artifacts");
    await seed(table);
    // Without a user_id a row belongs to the whole tenant: what forgets to say whose it is is shown to nobody.
    expectOk(await database.ownerSql.query(insertSample(table, { tenant_id: "alpha" })));
    const read = "select tenant_id, user_id from artifacts";
    expect(await owners(scope("alpha", "u1"), read)).toEqual(["alpha/", "alpha/u1"]);
    expect(await owners(scope("alpha", ""), read)).toEqual(["alpha/"]);
    expect(await owners(scope("alpha", "*"), read)).toEqual(["alpha/", "alpha/*", "alpha/u1", "alpha/u2"]);
    const foreign = insertSample(table, { tenant_id: "alpha", user_id: "*" });
    expect(expectError(await run(scope("alpha", "u1"), foreign))).toMatchObject(FORBIDDEN);
  });

  it("shows the members of an artifact and the sessions to whom the artifact belongs", async () => {
    for (const name of ["artifact_members", "sessions"]) {
      const table = tables.find((each) => each.name === name);
      if (table === undefined) throw new Error(`there is no table ${name}`);
      await seed(table);
      const read = `select tenant_id, user_id from ${name}`;
      expect(await owners(scope("alpha", "u2"), read)).toEqual(["alpha/", "alpha/u2"]);
      const move = statement(`update ${name} set user_id = 'u1' returning tenant_id`);
      expect(expectError(await run(scope("alpha", "u2"), move))).toMatchObject(FORBIDDEN);
    }
  });

  it("does not let an upsert take over another user's row", async () => {
    const sameKey = (user: string) => [
      statement(
        `insert into documents (tenant_id, document_uid, user_id, document_id, tier, content_hash, model_id, version_key, batch_tag, wal_key, wal_id, document_index)
          values ('alpha', '00000000-0000-4000-8000-000000000001', $1, 'd', 'doc', '\\x00', 1, 'v', 'b', 'k', 'w', 0)
          on conflict (tenant_id, document_uid) do update set user_id = excluded.user_id, title = 'taken'`,
        user,
      ),
    ];
    expectOk(await run(scope("alpha", "u1"), ...sameKey("u1")));
    expect(expectError(await run(scope("alpha", "u2"), ...sameKey("u2")))).toMatchObject(FORBIDDEN);
    expectOk(
      await run(
        scope("beta", "u2"),
        ...sameKey("u2").map(({ text, params }) => ({ text: text.replace("'alpha'", "'beta'"), params })),
      ),
    );
  });

  it("finds an api key by the hash of what the caller presented, and only that one, and only to read", async () => {
    const hash = "ab".repeat(32);
    const table = tables.find(({ name }) => name === "api_keys");
    if (table === undefined) throw new Error("there is no table api_keys");
    await seed(table);
    expectOk(
      await database.ownerSql.query(
        insertSample(table, { tenant_id: "beta", key_id: "wanted", key_hash: `\\x${hash}` }),
      ),
    );
    const ids = async (lookup: string) =>
      rowsIn(database.sql, scope("", ""), keyLookupStatement(lookup), statement("select key_id from api_keys"));
    expect(await ids(hash)).toEqual([{ key_id: "wanted" }]);
    expect(await ids("cd".repeat(32))).toEqual([]);
    expect(await ids("")).toEqual([]);
    for (const text of ["update api_keys set label = 'x' returning key_id", "delete from api_keys returning key_id"]) {
      expect(await rowsIn(database.sql, scope("", ""), keyLookupStatement(hash), statement(text))).toEqual([]);
    }
  });

  it("shows with a key its tenant's row, for the policy in it, and only to read", async () => {
    const hash = "ef".repeat(32);
    const keys = tables.find(({ name }) => name === "api_keys");
    const tenants = tables.find(isTenants);
    if (keys === undefined || tenants === undefined) throw new Error("there are no tables api_keys and tenants");
    await seed(keys);
    await database.ownerSql.query(insertSample(keys, { tenant_id: "beta", key_hash: `\\x${hash}` }));
    const seen = async (lookup: string, text: string) =>
      rowsIn(database.sql, scope("", ""), keyLookupStatement(lookup), statement(text));
    expect(await seen(hash, "select tenant_id from tenants")).toEqual([{ tenant_id: "beta" }]);
    expect(await seen("cd".repeat(32), "select tenant_id from tenants")).toEqual([]);
    expect(await seen("", "select tenant_id from tenants")).toEqual([]);
    for (const text of [
      "update tenants set policy = '{}' returning tenant_id",
      "delete from tenants returning tenant_id",
    ])
      expect(await seen(hash, text)).toEqual([]);
  });
});
