/** What a large partition has to have before a model becomes the active one: an index that is whole, measured and approved. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok } from "../../src/lib/base/result.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { openDatabases } from "../../src/lib/db/open-databases.ts";
import { shardMapSchema } from "../../src/lib/db/shard-map.ts";
import { buildSearchIndex, LARGE_ROWS_MIN } from "../../src/lib/flows/search-recall/build-search-index.ts";
import { copyRegistry } from "../../src/lib/flows/models/copy-registry.ts";
import { listModels } from "../../src/lib/flows/models/list-models.ts";
import { promoteModel } from "../../src/lib/flows/models/promote-model.ts";
import { rollBackModel } from "../../src/lib/flows/models/roll-back-model.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { expectOk, openTestDatabase, rowsIn, statement } from "../support/database.ts";
import { HASH_DIMENSIONS } from "./support/hash-embedder.ts";
import { TwoModels } from "./support/two-models.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const TENANT = "large";
/** Of one chunk under each of two models: together just more than a large partition has. */
const DOCUMENTS = LARGE_ROWS_MIN / 2 + 10;
/** As `jeeves build-index` does it. */
const BUILD = { partitionRowsMin: LARGE_ROWS_MIN, tenantChunksMin: LARGE_ROWS_MIN, buildTimeoutMs: 60_000 };

describe("promotion over a large partition", () => {
  let world: World;
  let two: TwoModels;
  let next: number;
  let partition = "";
  const indexOf = (modelId: number): string => `${partition}_hnsw_m${modelId}`;

  beforeAll(async () => {
    world = await openWorld();
    two = new TwoModels(world, { documentPrefix: "" });
    next = await two.register();
    // Tenants are found by their objects.
    await world.bucket.put(`wal/${TENANT}/2026-11-23/x.mpz`, "x");
    const [row] = await rowsIn(
      world.database.sql,
      { tenantId: TENANT, userId: "*" },
      ...insertDocuments([1, HASH_DIMENSIONS], [next, two.next.served.dimensions]),
      statement("select chunk_partition($1) as name", TENANT),
    );
    partition = String(row?.["name"]);
    await owner(`analyze ${partition}`);
  });
  afterAll(() => world?.close());

  /** Documents with a vector of each model, unit vectors at random. */
  function insertDocuments(...models: readonly (readonly [modelId: number, dimensions: number])[]) {
    return [
      statement("select setseed(0.5)"),
      statement(
        `insert into documents (tenant_id, document_uid, document_id, tier, content_hash, model_id, version_key, batch_tag, wal_key, wal_id, document_index,
           chunk_count, character_count)
         select $1, md5(n::text)::uuid, 'd' || n, 'doc', '\\x00', 1, 'v', 'b', 'k', 'w', 0, 1, 4 from generate_series(1, $2::int) n`,
        TENANT,
        DOCUMENTS,
      ),
      ...models.map(([modelId, dimensions]) =>
        statement(
          `insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, tier, batch_tag, generation, chunk_hash, text, start_offset, end_offset,
             token_count, lexeme_count, embedding, lexemes)
           select $1, $2::int, md5(n::text)::uuid, 0, 'doc', 'b', 1, '\\x00', 'text', 0, 4, 1, 1,
             (select l2_normalize(array_agg(random() - 0.5 + 0 * (n + d))::real[]::halfvec) from generate_series(1, $3::int) d), '{1:1}/536870912'
           from generate_series(1, $4::int) n`,
          TENANT,
          modelId,
          dimensions,
          DOCUMENTS,
        ),
      ),
    ];
  }

  const owner = async (text: string): Promise<void> => {
    expectOk(await world.database.ownerSql.query(statement(text)));
  };
  const promote = (isForced = false) => promoteModel(two.context(), { modelId: next, isForced });

  async function activeModel(): Promise<number | undefined> {
    return expectOk(await listModels(world.database.sql)).find(({ state }) => state === "active")?.model_id;
  }

  /** Refused by the code and the sentence that name the index, with nothing changed: no other model, and nobody waits. */
  async function expectRefused(asked: ReturnType<typeof promote> = promote(), index = indexOf(next)): Promise<void> {
    const active = await activeModel();
    expect(await asked).toEqual({
      ok: false,
      error: { code: "conflict", detail: `large scopes would be slow without ${index}: jeeves build-index` },
    });
    expect(await activeModel()).toBe(active);
    const held = await world.database.ownerSql.query(
      statement("select 1 from embedding_models where held_until > now()"),
    );
    expect(expectOk(held)).toEqual([]);
  }

  /** An index through which nothing is found. */
  const blind = (sql: Sql): Sql => ({
    query: (...asked) => sql.query(...asked),
    async transaction(...asked) {
      const read = await sql.transaction(...asked);
      return read.ok ? ok(read.value.map((rows) => rows.filter((row) => row["path"] !== "indexed"))) : read;
    },
  });

  async function isThere(name: string): Promise<boolean> {
    const rows = await world.database.ownerSql.query(statement("select to_regclass($1)::text as name", name));
    return expectOk(rows)[0]?.["name"] !== null;
  }

  it("is refused while the model's index is missing, whatever the active one has", async () => {
    await owner(
      `create index ${indexOf(1)} on ${partition} using hnsw ((embedding::halfvec(${HASH_DIMENSIONS})) halfvec_ip_ops) where model_id = 1`,
    );
    await owner(`analyze ${partition}`);
    await expectRefused();
  });

  it("is refused while the index is there and nothing has measured it", async () => {
    const { dimensions } = two.next.served;
    await owner(
      `create index ${indexOf(next)} on ${partition} using hnsw ((embedding::halfvec(${dimensions})) halfvec_ip_ops) where model_id = ${next}`,
    );
    await owner(`analyze ${partition}`);
    await expectRefused();
  });

  it("is refused after build-index measured it, found too little through it and gave it up", async () => {
    const built = expectOk(await buildSearchIndex({ ...world.database, sql: blind(world.database.sql) }, BUILD));
    expect(built.proofs.find(({ indexName }) => indexName === indexOf(next))).toMatchObject({ isApproved: false });
    expect(await isThere(indexOf(next))).toBe(false);
    await expectRefused();
  });

  it("is refused while a build of it was cut off", async () => {
    expectOk(await buildSearchIndex(world.database, BUILD));
    const invalid = `update pg_index set indisvalid = false where indexrelid = '${indexOf(next)}'::regclass`;
    expectOk(
      await world.database.ownerSql.transaction({ tenantId: "", userId: "" }, [
        statement("select set_config('allow_system_table_mods', 'on', true)"),
        statement(invalid),
      ]),
    );
    await expectRefused();
  });

  it("is allowed once build-index has built, measured and approved it, also where the former model's is missing", async () => {
    const built = expectOk(await buildSearchIndex(world.database, BUILD));
    expect(built.droppedInvalid).toEqual([indexOf(next)]);
    expect(built.proofs.find(({ indexName }) => indexName === indexOf(next))).toMatchObject({ isApproved: true });
    await owner(`drop index ${indexOf(1)}`);
    expect(expectOk(await promote())).toMatchObject({ was_active: false, document_count: DOCUMENTS, missing_count: 0 });
    expect(await activeModel()).toBe(next);
    const context = { ...two.context(), sleep: async (): Promise<void> => undefined };
    const request = { query: "the wing", mode: "vector", explain: true };
    const found = expectOk(await search(context, principalOf(TENANT), request));
    expect(found.hits.length).toBeGreaterThan(0);
    expect(found.explain?.fingerprint).toBe(two.next.served.fingerprint);
  });

  it("holds a rollback to the same rule, unless it is forced", async () => {
    await expectRefused(rollBackModel(two.context(), { isForced: false }), indexOf(1));
    expectOk(await rollBackModel(two.context(), { isForced: true }));
    expect(await activeModel()).toBe(1);
  });

  it("looks at every database", async () => {
    const second = await openTestDatabase({ backend: "pglite" });
    try {
      const map = shardMapSchema.parse({
        shards: { b: { database_url: second.connectionString, sql_fetch_endpoint: second.endpointUrl } },
      });
      const home = { connectionString: world.database.connectionString, fetchEndpoint: world.database.endpointUrl };
      const { sql, byShard } = openDatabases(home, { map, timeoutMs: 20_000 });
      expectOk(await copyRegistry(byShard));
      const context = { ...two.context(), sql, databases: byShard };
      // As if so many rows lay there.
      expectOk(
        await second.ownerSql.transaction({ tenantId: "", userId: "" }, [
          statement("select set_config('allow_system_table_mods', 'on', true)"),
          statement("update pg_class set reltuples = $1::int where relname = 'doc_embeddings_p03'", LARGE_ROWS_MIN),
        ]),
      );
      const asked = promoteModel(context, { modelId: next, isForced: false });
      await expectRefused(asked, `doc_embeddings_p03_hnsw_m${next}`);
      expectOk(await second.ownerSql.query(statement("analyze doc_embeddings_p03")));
      expectOk(await promoteModel(context, { modelId: next, isForced: false }));
    } finally {
      await second.close();
    }
  });
});
