import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CandidateRow, candidateRowSchema, exactCandidates } from "../../src/lib/db/queries/search.ts";
import { indexedCandidates, searchSettings } from "../../src/lib/db/queries/search-indexed.ts";
import { buildSearchIndex } from "../../src/lib/flows/search-recall/build-search-index.ts";
import { analyse } from "../../src/lib/lexical/analyse.ts";
import { sparsevecText } from "../../src/lib/lexical/encode.ts";
import { expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { candidatesOf, DIMENSIONS, searchFor, type StoredChunk, storeChunks } from "./support/search-store.ts";

const OPTIONS = { partitionRowsMin: 200, tenantChunksMin: 200, buildTimeoutMs: 60_000 };
const TENANT = "large";
const WORDS = ["wing", "jet", "layer", "boundary", "flow", "heat", "shock", "wave", "plate", "drag", "lift", "nozzle"];

// A fixed pseudo-random walk, so that a failure comes back.
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function crowd(count: number): StoredChunk[] {
  const random = randomFrom(7);
  return Array.from({ length: count }, (_, index) => ({
    tenantId: TENANT,
    userId: index % 10 === 0 ? "ann" : index % 10 === 1 ? "bob" : "",
    tier: index % 4 === 0 ? "event" : "doc",
    documentId: `d${index}`,
    text: `rare${index} ${Array.from({ length: 12 }, () => WORDS[Math.floor(random() ** 2 * WORDS.length)] ?? "").join(" ")}`,
    vector: Array.from({ length: DIMENSIONS }, () => random() - 0.5),
  }));
}

for (const backend of await availableBackends(["pglite", "native"])) {
  describe(`the search index on ${backend}`, () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await openTestDatabase({ backend });
      await database.ownerSql.query(
        statement(`insert into embedding_models (model_id, fingerprint, model_name, revision, dimensions, max_input_tokens, state)
          overriding system value values (7, 'test', 'test', '1', ${DIMENSIONS}, 64, 'active')`),
      );
      await storeChunks(database.sql, backend, [
        ...crowd(600),
        { tenantId: "small", documentId: "s", text: "wing heat" },
      ]);
    });
    afterAll(() => database?.close());

    async function indexed(query: string, userId = "", scope = { tenantId: TENANT, userId }): Promise<CandidateRow[]> {
      const search = searchFor(backend, query, { tenantId: TENANT, userId, exactRowsMax: 100, candidatesMax: 20 });
      const rows = await rowsIn(database.sql, scope, searchSettings(search), indexedCandidates(search));
      return rows.map((row) => candidateRowSchema.parse(row));
    }

    it("is built for large partitions once, and again when a build was cut off", async () => {
      const context = { ownerSql: database.ownerSql, sql: database.sql };
      const first = expectOk(await buildSearchIndex(context, OPTIONS));
      expect(first.built.map((name) => name.replace(/p\d+/, "p"))).toEqual([
        "doc_embeddings_p_lexemes",
        "doc_embeddings_p_hnsw_m7",
      ]);
      expect(first.refreshedTenants).toBe(1);
      const second = expectOk(await buildSearchIndex(context, OPTIONS));
      expect(second).toMatchObject({ built: [], droppedInvalid: [] });
      expect(second.alreadyValid.toSorted()).toEqual(first.built.toSorted());
      const [name = ""] = first.built;
      expectOk(
        await database.ownerSql.query(
          statement(`update pg_index set indisvalid = false where indexrelid = '${name}'::regclass`),
        ),
      );
      expect(expectOk(await buildSearchIndex(context, OPTIONS))).toMatchObject({
        built: [name],
        droppedInvalid: [name],
      });
    });

    it("finds what looking at every row finds, with the same scores", async () => {
      for (const query of ["rare17 wing", "nozzle lift", "heat shock wave of rare402"]) {
        const exact = await candidatesOf(
          database.sql,
          searchFor(backend, query, { tenantId: TENANT, candidatesMax: 20 }),
        );
        const found = await indexed(query);
        expect(found.every((row) => row.path === "indexed")).toBe(true);
        const keyOf = (row: CandidateRow): string => `${row.document_id}/${row.chunk_index}`;
        const scores = new Map(found.map((row) => [keyOf(row), row]));
        const same = exact.filter((row) => scores.has(keyOf(row)));
        expect(same.length / exact.length).toBeGreaterThan(0.9);
        for (const row of same) {
          expect(scores.get(keyOf(row))?.lexical_score).toBeCloseTo(row.lexical_score ?? Number.NaN, 9);
          expect(scores.get(keyOf(row))?.vector_score).toBeCloseTo(row.vector_score ?? Number.NaN, 9);
        }
      }
    });

    it("reads only what the tenant shares and the one user's", async () => {
      const usersFor = async (userId: string): Promise<Set<string>> =>
        new Set((await indexed("wing jet layer", userId)).map((row) => row.user_id));
      expect(await usersFor("")).toEqual(new Set([""]));
      expect(await usersFor("ann")).toEqual(new Set(["", "ann"]));
      expect(await indexed("wing", "ann", { tenantId: "small", userId: "" })).toEqual([]);
      expect(
        (await indexed("rare0 wing", "ann", { tenantId: TENANT, userId: "bob" })).filter((row) => row.user_id !== ""),
      ).toEqual([]);
    });

    it("lets nobody name another tenant or user to the function that reads the index of stems", async () => {
      const { counts } = analyse("wing heat rare0");
      const keys = statement(
        "select document_uid from search_lexical_keys(7, '{doc,event}', $1::int[], $2::sparsevec, 10, 1000, 1000)",
        [...counts.keys()],
        sparsevecText({ counts, lexemeCount: 3 }),
      );
      const count = async (tenantId: string, userId: string): Promise<number> =>
        (await rowsIn(database.sql, { tenantId, userId }, keys)).length;
      expect(await count("small", "")).toBe(1);
      expect(await count("", "")).toBe(0);
      expect(await count(TENANT, "ann")).toBeGreaterThan(await count(TENANT, ""));
      const owners = await rowsIn(
        database.ownerSql,
        { tenantId: TENANT, userId: "" },
        statement(
          "select rolcanlogin or rolsuper or rolbypassrls or rolinherit and exists (select 1 from pg_auth_members m where m.member = r.oid) as strong from pg_roles r where rolname = 'jeeves_searcher'",
        ),
      );
      expect(owners).toEqual([{ strong: false }]);
    });

    it("leaves small scopes to the exact path and large ones to the index, in one and the same batch", async () => {
      const small = searchFor(backend, "wing", { tenantId: "small", exactRowsMax: 100 });
      const large = searchFor(backend, "wing", { tenantId: TENANT, exactRowsMax: 100 });
      for (const [search, path] of [
        [small, "exact"],
        [large, "indexed"],
      ] as const) {
        const scope = { tenantId: search.tenantId, userId: "" };
        const read = expectOk(
          await database.sql.transaction(
            scope,
            [searchSettings(search), exactCandidates(search), indexedCandidates(search)],
            { readOnly: true },
          ),
        );
        const paths = new Set(
          read
            .flat()
            .map((row) => row["path"])
            .filter((value) => value !== undefined),
        );
        expect(paths).toEqual(new Set([path]));
      }
    });

    it("answers from large scopes that have no index yet", async () => {
      const tenantId = "unindexed";
      await storeChunks(
        database.sql,
        backend,
        Array.from({ length: 5 }, (_, index) => ({
          tenantId,
          documentId: `d${index}`,
          text: index === 3 ? "nozzle" : "wing",
        })),
      );
      const search = searchFor(backend, "nozzle", { tenantId, exactRowsMax: 2 });
      const rows = await rowsIn(
        database.sql,
        { tenantId, userId: "" },
        searchSettings(search),
        indexedCandidates(search),
      );
      expect(rows).toHaveLength(5);
      expect(rows.filter((row) => Number(row["lexical_score"]) > 0).map((row) => row["document_id"])).toEqual(["d3"]);
    });

    it("serves words alone and vectors alone", async () => {
      const base = { tenantId: TENANT, exactRowsMax: 100 };
      const scope = { tenantId: TENANT, userId: "" };
      const words = await rowsIn(
        database.sql,
        scope,
        indexedCandidates(searchFor(backend, "rare402", { ...base, queryVector: undefined })),
      );
      expect(words.map((row) => row["document_id"])).toEqual(["d402"]);
      const vectors = searchFor(backend, "", base);
      const rows = await rowsIn(database.sql, scope, searchSettings(vectors), indexedCandidates(vectors));
      expect(rows.length).toBeGreaterThan(100);
    });
  });
}
