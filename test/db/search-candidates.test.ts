import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storedVector } from "../../src/lib/flows/models/stored-vector.ts";
import { analyse } from "../../src/lib/lexical/analyse.ts";
import { bm25, inverseDocumentFrequency } from "../../src/lib/lexical/bm25.ts";
import { queryTermsOf } from "../../src/lib/lexical/query-terms.ts";
import { openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { documentUid } from "../../src/lib/base/document-uid.ts";
import { neighbourRowSchema, selectNeighbours } from "../../src/lib/db/queries/search-neighbours.ts";
import type { Scope } from "../../src/lib/db/sql.ts";
import { candidatesOf, MODEL_ID, searchFor, storeChunks, unit } from "./support/search-store.ts";

const WORDS = [
  "wing",
  "jet",
  "layer",
  "boundary",
  "flow",
  "heat",
  "shock",
  "wave",
  "plate",
  "laminar",
  "turbulent",
  "drag",
  "lift",
  "mach",
  "nozzle",
  "pressure",
];
const text = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 40 }).map((words) => words.join(" "));

for (const backend of await availableBackends(["pglite", "native", "jsonb", "debian"])) {
  describe(`search candidates on ${backend}`, () => {
    let database: TestDatabase;
    let tenantCount = 0;
    const newTenant = (): string => `search-${(tenantCount += 1)}`;

    beforeAll(async () => {
      database = await openTestDatabase({ backend });
    });
    afterAll(() => database?.close());

    it("score words by BM25 over the scope, exactly as the plain formula does", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), text, async (texts, query) => {
          const tenantId = newTenant();
          await storeChunks(
            database.sql,
            backend,
            texts.map((chunk, index) => ({ tenantId, documentId: `d${index}`, text: chunk })),
          );
          const found = await candidatesOf(database.sql, searchFor(backend, query, { tenantId }));
          const lexemes = texts.map((chunk) => analyse(chunk));
          const averageLength = lexemes.reduce((sum, { lexemeCount }) => sum + lexemeCount, 0) / texts.length;
          const terms = queryTermsOf(query).map((term) => ({
            ...term,
            idf: inverseDocumentFrequency(
              texts.length,
              lexemes.filter(({ counts }) => counts.has(term.dimension)).length,
            ),
          }));
          expect(found).toHaveLength(texts.length);
          for (const row of found) {
            const { counts, lexemeCount } = analyse(row.text);
            const expected = bm25(
              terms.map((term) => ({ ...term, count: counts.get(term.dimension) ?? 0 })),
              lexemeCount,
              averageLength,
            );
            expect(row.lexical_score).toBeCloseTo(expected, 9);
          }
        }),
        { numRuns: 25 },
      );
    });

    it("carry the cosine of every candidate, also of those that the words found", async () => {
      const tenantId = newTenant();
      await storeChunks(database.sql, backend, [
        { tenantId, documentId: "near", text: "nothing in common", vector: [1, 2, 3, 4] },
        { tenantId, documentId: "far", text: "wing", vector: [-4, 1, 0, 1] },
      ]);
      const found = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, candidatesMax: 1 }));
      const scores = new Map(found.map((row) => [row.document_id, row]));
      expect(scores.get("near")?.vector_score).toBeCloseTo(1, 3);
      expect(scores.get("near")?.lexical_score).toBe(0);
      const cosine = unit([1, 2, 3, 4]).reduce(
        (sum, value, index) => sum + value * (unit([-4, 1, 0, 1])[index] ?? 0),
        0,
      );
      expect(scores.get("far")?.vector_score).toBeCloseTo(cosine, 3);
      expect(scores.get("far")?.lexical_score).toBeGreaterThan(0);
    });

    it("carry the stored vector where both sides are searched, and nothing where it is not needed", async () => {
      const tenantId = newTenant();
      const vector = [0.25, -1e-5, 3, 0];
      await storeChunks(database.sql, backend, [{ tenantId, documentId: "a", text: "wing", vector }]);
      const [row] = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId }));
      for (const [index, value] of storedVector(row?.embedding ?? "").entries())
        expect(value).toBeCloseTo(unit(vector)[index] ?? Number.NaN, 3);
      const [alone] = await candidatesOf(
        database.sql,
        searchFor(backend, "wing", { tenantId, queryVector: undefined }),
      );
      expect(alone?.embedding).toBeNull();
    });

    it("see the tenant's shared rows and the one user's, never another's", async () => {
      const [tenantId, otherTenant] = [newTenant(), newTenant()];
      await storeChunks(database.sql, backend, [
        { tenantId, documentId: "shared", text: "wing" },
        { tenantId, userId: "ann", documentId: "of-ann", text: "wing" },
        { tenantId, userId: "bob", documentId: "of-bob", text: "wing" },
        { tenantId: otherTenant, documentId: "foreign", text: "wing" },
      ]);
      const idsFor = async (userId: string): Promise<string[]> =>
        (await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, userId })))
          .map((row) => row.document_id)
          .sort();
      expect(await idsFor("")).toEqual(["shared"]);
      expect(await idsFor("ann")).toEqual(["of-ann", "shared"]);
      expect(await idsFor("bob")).toEqual(["of-bob", "shared"]);
    });

    it("stay inside the transaction's tenant and user when the query itself asks for more", async () => {
      const [tenantId, otherTenant] = [newTenant(), newTenant()];
      await storeChunks(database.sql, backend, [
        { tenantId, userId: "ann", documentId: "of-ann", text: "wing" },
        { tenantId: otherTenant, documentId: "foreign", text: "wing" },
      ]);
      const greedy = searchFor(backend, "wing", { tenantId: otherTenant, userId: "" });
      expect(await candidatesOf(database.sql, greedy, { tenantId, userId: "" })).toEqual([]);
      const asAnn = searchFor(backend, "wing", { tenantId, userId: "ann" });
      expect(await candidatesOf(database.sql, asAnn, { tenantId, userId: "bob" })).toEqual([]);
      expect(await candidatesOf(database.sql, asAnn, { tenantId, userId: "ann" })).toHaveLength(1);
    });

    it("count frequencies inside the scope, so that another user's words change no score", async () => {
      const tenantId = newTenant();
      await storeChunks(database.sql, backend, [
        { tenantId, documentId: "a", text: "wing jet" },
        { tenantId, documentId: "b", text: "heat shock" },
      ]);
      const before = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId }));
      await storeChunks(database.sql, backend, [{ tenantId, userId: "bob", documentId: "c", text: "wing wing wing" }]);
      const after = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId }));
      expect(after.map((row) => row.lexical_score)).toEqual(before.map((row) => row.lexical_score));
    });

    it("keep to tiers, model, source, time, document and metadata", async () => {
      const tenantId = newTenant();
      await storeChunks(database.sql, backend, [
        {
          tenantId,
          documentId: "a",
          text: "wing",
          tier: "event",
          source: "mail",
          occurredAt: "2026-01-01T00:00:00Z",
          metadata: { team: "red", tags: ["x", "y"], n: 3 },
        },
        {
          tenantId,
          documentId: "b",
          text: "wing",
          source: "wiki",
          occurredAt: "2026-03-01T00:00:00Z",
          metadata: { team: "blue" },
        },
        { tenantId, documentId: "c", text: "wing" },
        { tenantId, documentId: "old", text: "wing", modelId: 1 },
      ]);
      const ids = async (overrides: object): Promise<string[]> =>
        (await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, ...overrides })))
          .map((row) => row.document_id)
          .sort();
      expect(await ids({})).toEqual(["a", "b", "c"]);
      expect(await ids({ tiers: ["event"] })).toEqual(["a"]);
      expect(await ids({ modelId: 1 })).toEqual(["old"]);
      expect(await ids({ filters: { sources: ["wiki", "none"] } })).toEqual(["b"]);
      expect(await ids({ filters: { documentIds: ["c"] } })).toEqual(["c"]);
      expect(await ids({ filters: { occurredFrom: "2026-02-01T00:00:00Z" } })).toEqual(["b"]);
      expect(await ids({ filters: { occurredBefore: "2026-03-01T00:00:00Z" } })).toEqual(["a"]);
      expect(await ids({ filters: { metadata: { team: "red" } } })).toEqual(["a"]);
      expect(await ids({ filters: { metadata: { tags: "y", n: 3 } } })).toEqual(["a"]);
      expect(await ids({ filters: { metadata: { team: "'; drop table documents; --" } } })).toEqual([]);
    });

    it("give the best of each tier, so that a crowded tier hides no other", async () => {
      const tenantId = newTenant();
      const crowd = Array.from({ length: 8 }, (_, index) => ({
        tenantId,
        documentId: `d${index}`,
        text: "wing wing",
        vector: [1, 2, 3, 4],
      }));
      await storeChunks(database.sql, backend, [
        ...crowd,
        { tenantId, tier: "event", documentId: "e", text: "heat", vector: [4, -3, 2, -1] },
      ]);
      const found = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, candidatesMax: 3 }));
      expect(found.filter((row) => row.tier === "doc")).toHaveLength(3);
      expect(found.filter((row) => row.tier === "event")).toHaveLength(1);
    });

    it("answer with words alone or vectors alone, and with nothing from an empty scope", async () => {
      const tenantId = newTenant();
      expect(await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId }))).toEqual([]);
      await storeChunks(database.sql, backend, [
        { tenantId, documentId: "a", text: "wing" },
        { tenantId, documentId: "b", text: "heat" },
      ]);
      const words = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, queryVector: undefined }));
      expect(words.map((row) => [row.document_id, row.vector_score])).toEqual([["a", null]]);
      const vectors = await candidatesOf(database.sql, searchFor(backend, "", { tenantId }));
      expect(vectors.map((row) => row.lexical_score)).toEqual([null, null]);
    });

    it("are what is valid now, or what was known and valid at a time", async () => {
      const tenantId = newTenant();
      await storeChunks(database.sql, backend, [
        { tenantId, documentId: "first", text: "wing", occurredAt: "2026-01-01T00:00:00Z" },
        { tenantId, documentId: "second", text: "wing", occurredAt: "2026-02-01T00:00:00Z" },
        { tenantId, documentId: "undated", text: "wing" },
      ]);
      const end = "update doc_embeddings set valid_until = '2026-02-01' where occurred_at = '2026-01-01'";
      await rowsIn(database.sql, { tenantId, userId: "*" }, statement(end));
      const ids = async (asOf?: string): Promise<string[]> => {
        const filters = asOf === undefined ? {} : { asOf };
        const found = await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, filters }));
        return found.map((row) => row.document_id).sort();
      };
      expect(await ids()).toEqual(["second", "undated"]);
      expect(await ids("2026-01-15T00:00:00Z")).toEqual(["first"]);
      expect(await ids("2026-02-01T00:00:00Z")).toEqual(["second"]);
      expect(await ids("2126-01-01T00:00:00Z")).toEqual(["second", "undated"]);
    });

    it("have neighbours in their own scope alone, also where the query asks for others' rows by key", async () => {
      const tenantId = newTenant();
      const event = { tenantId, tier: "event", text: "wing" };
      const chunks = [
        { ...event, userId: "ann", documentId: "s/1", metadata: { speaker: "Ann" } },
        { ...event, userId: "ann", documentId: "s/2" },
        { ...event, userId: "ann", documentId: "s/2", chunkIndex: 1, text: "its second chunk" },
        { ...event, userId: "bob", documentId: "s/1" },
        { ...event, documentId: "s/3" },
        { tenantId, userId: "ann", documentId: "s/4", text: "a document" },
      ];
      await storeChunks(database.sql, backend, chunks);
      const documentUids = chunks.map(({ userId = "", documentId, ...rest }) =>
        documentUid({ tenantId, userId, tier: "tier" in rest ? rest.tier : "doc", documentId }),
      );
      const found = async (scope: Scope): Promise<string[]> => {
        const search = selectNeighbours({ scope, modelId: MODEL_ID, documentUids, asOf: undefined });
        const rows = await rowsIn(database.sql, scope, search);
        return rows
          .map((row) => neighbourRowSchema.parse(row))
          .map((row) => `${row.user_id} ${row.document_id} ${row.text}`)
          .sort();
      };
      expect(await found({ tenantId, userId: "ann" })).toEqual([" s/3 wing", "ann s/1 wing", "ann s/2 wing"]);
      expect(await found({ tenantId, userId: "" })).toEqual([" s/3 wing"]);
      expect(await found({ tenantId: newTenant(), userId: "ann" })).toEqual([]);
    });

    it("leave scopes over the limit to the indexed path", async () => {
      const tenantId = newTenant();
      await storeChunks(database.sql, backend, [
        { tenantId, documentId: "a", text: "wing" },
        { tenantId, documentId: "b", text: "wing" },
      ]);
      expect(await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, exactRowsMax: 1 }))).toEqual([]);
      expect(await candidatesOf(database.sql, searchFor(backend, "wing", { tenantId, exactRowsMax: 2 }))).toHaveLength(
        2,
      );
    });
  });
}
