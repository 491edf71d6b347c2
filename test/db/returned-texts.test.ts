import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selectReturnedChunks, selectReturnedDocuments } from "../../src/lib/db/queries/returned-texts.ts";
import type { Statement } from "../../src/lib/db/sql.ts";
import { expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";

const backends = await availableBackends(["pglite", "native"]);
const DOCUMENTS = 500;
const SCOPE = { tenantId: "alpha", userId: "*" };

describe.each(backends)("looking up what a search returned, on %s", (backend) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openTestDatabase({ backend });
    const uid = "md5(i::text)::uuid";
    const each = `from generate_series(1, ${DOCUMENTS}) i`;
    expectOk(
      await database.sql.transaction(SCOPE, [
        statement(`insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
          values ('f', 'm', '1', 1, 8, 'active')`),
        statement(`insert into documents (tenant_id, document_uid, user_id, document_id, tier, content_hash, model_id, version_key, batch_tag,
          wal_key, wal_id, document_index) select 'alpha', ${uid}, '', 'd' || i, 'doc', '', 1, 'v', 'b', 'k', 'w', i ${each}`),
        statement(`insert into document_signatures (tenant_id, document_uid, tier, sketch_version, normalised_hash, signature)
          select 'alpha', ${uid}, 'doc', 1, decode(md5(i::text), 'hex'), '' ${each}`),
        statement(`insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, tier, batch_tag, generation, chunk_hash, text,
          start_offset, end_offset, token_count, lexeme_count, embedding, lexemes, text_hash)
          select 'alpha', 1, ${uid}, 0, 'doc', 'b', d.generation, '', 't' || i, 0, 1, 1, 1, '[1]', '{1:1}/536870912', i
          ${each} join documents d on d.document_uid = ${uid}`),
      ]),
    );
    for (const table of ["documents", "document_signatures", "doc_embeddings"])
      expectOk(await database.ownerSql.query(statement(`analyze ${table}`)));
  });
  afterAll(() => database.close());

  const probes = [7, 8, DOCUMENTS + 1].map((textHash) => ({
    documentUid: randomUUID(),
    userId: "ann",
    normalisedHash: "00",
    textHash,
    mayBeEvent: false,
  }));
  async function planOf({ text, params }: Statement): Promise<string> {
    const rows = await rowsIn(database.sql, SCOPE, { text: `explain ${text}`, params });
    return rows.map((row) => String(row["QUERY PLAN"])).join("\n");
  }

  it("finds the chunks of a hash with the document that each is of", async () => {
    const rows = await rowsIn(database.sql, SCOPE, selectReturnedChunks("alpha", probes));
    expect(rows.map(({ probe, document_id: id, text }) => [probe, id, text])).toEqual([
      [0, "d7", "t7"],
      [1, "d8", "t8"],
    ]);
  });

  it("goes from hashes to rows by keys, and not through all of a tenant, where Postgres has statistics", async () => {
    const chunks = await planOf(selectReturnedChunks("alpha", probes));
    expect(chunks).toMatch(/tenant_id_text_hash_user_id_idx/);
    expect(chunks.match(/documents_pkey|document_signatures_pkey/g)).toHaveLength(2);
    const documents = await planOf(selectReturnedDocuments("alpha", probes));
    expect(documents.match(/document_signatures_time|documents_pkey/g)).toHaveLength(2);
    expect(chunks + documents).not.toMatch(/Seq Scan|documents_pii_version|documents_user/);
  });
});
