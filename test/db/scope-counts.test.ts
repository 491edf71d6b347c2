import * as fc from "fast-check";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Row, Statement } from "../../src/lib/db/sql.ts";
import { expectOk, openTestDatabase, statement } from "../support/database.ts";
import type { TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";

const backends = await availableBackends(["pglite", "native", "debian"]);
const servers = await availableBackends(["native", "debian"]);

const SYSTEM = (tenantId: string) => ({ tenantId, userId: "*" });
const COUNTED = "tenant_id, user_id, tier, model_id";
const number = (max: number) => fc.integer({ min: 0, max });

interface Chunk {
  readonly document: number;
  readonly chunk: number;
  readonly user: number;
  readonly tier: number;
  readonly lexemes: number;
}

const chunk: fc.Arbitrary<Chunk> = fc.record({
  document: number(5),
  chunk: number(3),
  user: number(2),
  tier: number(1),
  lexemes: number(40),
});
const chunks = fc.uniqueArray(chunk, { maxLength: 12, selector: (each) => `${each.document}/${each.chunk}` });
const operation = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), chunks }),
  fc.record({ kind: fc.constant("upsert" as const), chunks }),
  fc.record({ kind: fc.constant("move" as const), document: number(5), user: number(2), tier: number(1) }),
  fc.record({ kind: fc.constant("grow" as const), user: number(2), by: number(9) }),
  fc.record({ kind: fc.constant("touch" as const), document: number(5) }),
  fc.record({ kind: fc.constant("delete" as const), document: number(5) }),
  fc.record({ kind: fc.constant("delete_user" as const), user: number(2) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const uid = (document: number) => `00000000-0000-4000-8000-00000000000${document}`;
const userOf = (user: number) => ["", "u1", "u2"][user] ?? "";
const tierOf = (tier: number) => ["doc", "event"][tier] ?? "doc";

function insertChunks(tenantId: string, rows: readonly Chunk[], hasVector: boolean, conflict: string): Statement {
  const [embedding, lexemes] = hasVector
    ? ["'[0.6,0.8]'::halfvec", "'{1:1}/16'::sparsevec"]
    : ["'[0.6,0.8]'::jsonb", "'{}'::jsonb"];
  return statement(
    `insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, user_id, tier, batch_tag, generation, chunk_hash,
        text, start_offset, end_offset, token_count, lexeme_count, embedding, lexemes)
      select $1, 1, document_uid, chunk_index, user_id, tier, 'b', 1, '\\x00', 'text', 0, 4, 1, lexeme_count, ${embedding}, ${lexemes}
      from jsonb_to_recordset($2::jsonb) as r (document_uid uuid, chunk_index integer, user_id text, tier text, lexeme_count integer)
      on conflict (tenant_id, model_id, document_uid, generation, chunk_index) ${conflict}`,
    tenantId,
    JSON.stringify(
      rows.map((row) => ({
        document_uid: uid(row.document),
        chunk_index: row.chunk,
        user_id: userOf(row.user),
        tier: tierOf(row.tier),
        lexeme_count: row.lexemes,
      })),
    ),
  );
}

function statementOf(tenantId: string, step: Operation, hasVector: boolean): Statement {
  switch (step.kind) {
    case "insert":
      return insertChunks(tenantId, step.chunks, hasVector, "do nothing");
    case "upsert":
      return insertChunks(
        tenantId,
        step.chunks,
        hasVector,
        "do update set user_id = excluded.user_id, tier = excluded.tier, lexeme_count = excluded.lexeme_count",
      );
    case "move":
      return statement(
        "update doc_embeddings set user_id = $1, tier = $2 where document_uid = $3::uuid",
        userOf(step.user),
        tierOf(step.tier),
        uid(step.document),
      );
    case "grow":
      return statement(
        "update doc_embeddings set lexeme_count = lexeme_count + $1::int where user_id = $2",
        step.by,
        userOf(step.user),
      );
    case "touch":
      return statement("update doc_embeddings set artifact_id = 'a' where document_uid = $1::uuid", uid(step.document));
    case "delete":
      return statement("delete from doc_embeddings where document_uid = $1::uuid", uid(step.document));
    case "delete_user":
      return statement("delete from doc_embeddings where user_id = $1", userOf(step.user));
  }
}

describe.each(backends)("scope_counts on %s", (backend) => {
  let database: TestDatabase;
  const hasVector = backend !== "debian";
  beforeAll(async () => {
    database = await openTestDatabase({ backend });
  });
  afterAll(() => database.close());

  /** Counts as kept and as they are, in the same order. */
  async function counts(): Promise<{ kept: readonly Row[]; real: readonly Row[] }> {
    const read = await database.ownerSql.transaction(SYSTEM(""), [
      statement(`select ${COUNTED}, chunk_count, lexeme_total from scope_counts
        where chunk_count <> 0 or lexeme_total <> 0 order by ${COUNTED}`),
      statement(`select ${COUNTED}, count(*) as chunk_count, sum(lexeme_count) as lexeme_total from doc_embeddings
        group by ${COUNTED} order by ${COUNTED}`),
    ]);
    const [kept = [], real = []] = expectOk(read);
    return { kept, real };
  }

  it("equal a recount after any inserts, upserts, moves, updates and deletes, one or several in a transaction", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
        async (batches) => {
          const tenantId = `t-${randomUUID().slice(0, 8)}`;
          for (const batch of batches) {
            const statements = batch.map((step) => statementOf(tenantId, step, hasVector));
            expectOk(await database.sql.transaction(SYSTEM(tenantId), statements));
            const { kept, real } = await counts();
            expect(kept).toEqual(real);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("follow rows that move to another tenant's partition, a failed transaction and a truncate", async () => {
    const rows = [{ document: 1, chunk: 0, user: 1, tier: 0, lexemes: 7 }];
    expectOk(await database.sql.transaction(SYSTEM("mover"), [insertChunks("mover", rows, hasVector, "do nothing")]));
    expectOk(
      await database.ownerSql.query(
        statement("update doc_embeddings set tenant_id = 'moved' where tenant_id = 'mover'"),
      ),
    );
    const moved = await counts();
    expect(moved.kept).toEqual(moved.real);
    expect(moved.kept).toContainEqual({
      tenant_id: "moved",
      user_id: "u1",
      tier: "doc",
      model_id: 1,
      chunk_count: "1",
      lexeme_total: "7",
    });
    const failing = [statement("delete from doc_embeddings"), statement("select 1 / 0")];
    expect((await database.sql.transaction(SYSTEM("moved"), failing)).ok).toBe(false);
    expect(await counts()).toEqual(moved);
    expectOk(await database.ownerSql.query(statement("truncate doc_embeddings")));
    expect(await counts()).toEqual({ kept: [], real: [] });
    expect(expectOk(await database.ownerSql.query(statement("select 1 from scope_counts")))).toEqual([]);
  });

  // PGlite has one session: nothing happens at the same time there.
  if (!servers.includes(backend)) return;
  it("stay exact under writers of one scope at the same time, who may have to repeat", async () => {
    const tenantId = "together";
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let turn = 0; turn < 6; turn += 1) {
        const row = {
          document: (writer + turn) % 6,
          chunk: turn % 4,
          user: turn % 3,
          tier: writer % 2,
          lexemes: writer,
        };
        const statements = [
          insertChunks(
            tenantId,
            [row],
            hasVector,
            "do update set lexeme_count = excluded.lexeme_count, user_id = excluded.user_id",
          ),
          statement(
            "delete from doc_embeddings where document_uid = $1::uuid and chunk_index <> $2",
            uid(row.document),
            row.chunk,
          ),
        ];
        for (;;) {
          const done = await database.sql.transaction(SYSTEM(tenantId), statements);
          if (done.ok) break;
          expect(done.error.code).toBe("serialization_failure");
        }
      }
    });
    await Promise.all(writers);
    const { kept, real } = await counts();
    expect(kept).toEqual(real);
    expect(kept.length).toBeGreaterThan(0);
  });
});
