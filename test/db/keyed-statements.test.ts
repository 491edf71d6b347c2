import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deleteChunksOfDocuments } from "../../src/lib/db/queries/erase-document.ts";
import { deleteFormerGenerations } from "../../src/lib/db/queries/write-chunks.ts";
import { insertModel } from "../../src/lib/db/queries/models.ts";
import { recountDocument } from "../../src/lib/db/queries/receipts.ts";
import type { Statement } from "../../src/lib/db/sql.ts";
import { expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";

const backends = await availableBackends(["pglite", "native"]);
const DOCUMENTS = 2_000;
const SCOPE = { tenantId: "alpha", userId: "*" };
const uidOf = "md5(i::text)::uuid";

describe.each(backends)("statements that name documents, on %s", (backend) => {
  let database: TestDatabase;
  let uids: readonly string[] = [];

  beforeAll(async () => {
    database = await openTestDatabase({ backend });
    const each = `from generate_series(1, ${DOCUMENTS}) i`;
    const model = { fingerprint: "f", modelName: "m", revision: "1", dimensions: 1, maxInputTokens: 8 };
    expectOk(await database.ownerSql.query(insertModel({ ...model, queryPrefix: "", documentPrefix: "", info: {} })));
    expectOk(
      await database.sql.transaction(SCOPE, [
        statement(`insert into documents (tenant_id, document_uid, user_id, document_id, tier, content_hash, model_id, version_key, batch_tag,
          wal_key, wal_id, document_index, generation) select 'alpha', ${uidOf}, '', 'd' || i, 'doc', '', 1, 'v', 'b', 'k', 'w', i, 2 ${each}`),
        statement(`insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, tier, batch_tag, generation, chunk_hash, text,
          start_offset, end_offset, token_count, lexeme_count, embedding, lexemes, text_hash)
          select 'alpha', 1, ${uidOf}, 0, 'doc', 'b', g, '', 't' || i, 0, 1, 1, 1, '[1]', '{1:1}/536870912', i
          ${each} cross join generate_series(1, 2) g`),
      ]),
    );
    const rows = await rowsIn(
      database.sql,
      SCOPE,
      statement("select md5('7')::uuid::text as a, md5('8')::uuid::text as b"),
    );
    uids = Object.values(rows[0] ?? {}).map(String);
  });
  afterAll(() => database.close());

  async function planOf({ text, params }: Statement): Promise<string> {
    const rows = await rowsIn(database.sql, SCOPE, { text: `explain ${text}`, params });
    return rows.map((row) => String(row["QUERY PLAN"])).join("\n");
  }

  it.each([
    ["deleting former generations", () => deleteFormerGenerations("alpha", uids)],
    ["deleting the chunks of documents", () => deleteChunksOfDocuments("alpha", uids)],
    ["recounting a document", () => recountDocument(SCOPE, uids[0] ?? "")],
  ])("reach its chunks by their key and never through all of a tenant: %s", async (_, make) => {
    expectOk(await database.ownerSql.query(statement("analyze doc_embeddings")));
    const plan = await planOf(make());
    const scans = plan.match(/Scan.* on doc_embeddings_p\d+.*\n.*/g) ?? [];
    expect(scans.length).toBeGreaterThan(0);
    for (const scan of scans) expect(scan).toMatch(/Index Cond: .*document_uid/);
    expect(plan).not.toMatch(/Seq Scan on doc_embeddings/);
  });

  it("look for no former generation of a document that is new", async () => {
    const { text, params } = deleteFormerGenerations("alpha", [crypto.randomUUID()]);
    const rows = await rowsIn(database.sql, SCOPE, {
      text: `explain (analyze, costs off, timing off) ${text}`,
      params,
    });
    const plan = rows.map((row) => String(row["QUERY PLAN"])).join("\n");
    const scans = plan.match(/Scan.* on doc_embeddings.*/g) ?? [];
    expect(scans.length).toBeGreaterThan(0);
    for (const scan of scans) expect(scan).toContain("never executed");
  });

  it("take away the former generations of the named documents, and nothing else", async () => {
    const counts = "select generation::int as generation, count(*)::int as n from doc_embeddings group by 1 order by 1";
    const rows = await rowsIn(database.sql, SCOPE, deleteFormerGenerations("alpha", uids), statement(counts));
    expect(rows).toEqual([
      { generation: 1, n: DOCUMENTS - 2 },
      { generation: 2, n: DOCUMENTS },
    ]);
  });
});
