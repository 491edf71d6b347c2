import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { schemaText } from "../../src/cli/schema/schema-text.ts";
import { splitStatements } from "../../src/lib/db/split-statements.ts";
import { expectOk, openTestDatabase, statement } from "../support/database.ts";
import type { TestDatabase } from "../support/database.ts";
import { availableBackends, MIGRATIONS_FOLDER } from "../support/postgres-servers.ts";

const backends = await availableBackends(["pglite", "native"]);
const opened: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

async function open(backend: (typeof backends)[number] | "jsonb", isMigrated: boolean): Promise<TestDatabase> {
  const database = await openTestDatabase({ backend, isMigrated });
  opened.push(database);
  return database;
}

const committed = () => readFile(`${MIGRATIONS_FOLDER}/schema.sql`, "utf8");

describe.each(backends)("migrations/schema.sql on %s", (backend) => {
  it("is what the migrations make (if not: npm run schema)", async () => {
    const { ownerSql } = await open(backend, true);
    expect(expectOk(await schemaText(ownerSql))).toBe(await committed());
  });

  it("makes the same schema when it is run on an empty database", async () => {
    const template = await open(backend, true);
    const roles = expectOk(
      await template.ownerSql.query(statement("select rolname from pg_roles where rolname like 'jeeves%'")),
    );
    const { ownerSql } = await open(backend, false);
    for (const { rolname } of roles) {
      await ownerSql.query(statement(`create role ${String(rolname)}`));
    }
    const statements = splitStatements(await committed()).map((text) => statement(text));
    expectOk(await ownerSql.transaction({ tenantId: "", userId: "" }, statements));
    expect(expectOk(await schemaText(ownerSql))).toBe(await committed());
  });

  it("notices a changed column, policy, trigger, grant, index and function", async () => {
    const changes = [
      "alter table documents alter column title drop not null",
      "alter policy tenant_isolation on tenants using (true)",
      "alter table receipts no force row level security",
      "drop trigger doc_embeddings_changed on doc_embeddings",
      "grant truncate on documents to jeeves_app",
      "drop index documents_batch",
      "create or replace function app_user_id() returns text language sql stable as $$ select '*' $$",
      "alter table tenants add constraint no_z check (tenant_id <> 'z')",
    ];
    const { ownerSql } = await open(backend, true);
    let before = expectOk(await schemaText(ownerSql));
    for (const change of changes) {
      expectOk(await ownerSql.query(statement(change)));
      const after = expectOk(await schemaText(ownerSql));
      expect(after, change).not.toBe(before);
      before = after;
    }
  });
});

describe("the jsonb variant", () => {
  it("has the same tables and columns as the vector one, but for the types of vectors", async () => {
    const columns = statement(`select table_name, column_name, is_nullable, column_default,
        case when udt_name in ('halfvec', 'sparsevec') then 'jsonb' else udt_name end as type
      from information_schema.columns where table_schema = 'public' order by table_name, column_name`);
    const [vector, jsonb] = await Promise.all(
      (["pglite", "jsonb"] as const).map(async (backend) =>
        expectOk(await (await open(backend, true)).ownerSql.query(columns)),
      ),
    );
    expect(jsonb).toEqual(vector);
  });

  it("computes inner products in SQL", async () => {
    const { sql } = await open("jsonb", true);
    const product = statement(
      "select jsonb_inner_product('[0.5, -2, 4]', array[2, 1, 0.25]) as value, jsonb_inner_product('[]', '{}') as empty",
    );
    expect(expectOk(await sql.query(product))).toEqual([{ value: 0, empty: 0 }]);
  });
});
