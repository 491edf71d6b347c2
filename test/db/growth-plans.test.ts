import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examine, planFaults } from "../../bench/growth/examine.ts";
import { fillTenant, namesBesideGiant, registerModel } from "../../bench/growth/fill-store.ts";
import { hotQueries } from "../../bench/growth/hot-queries.ts";
import { sampleDocuments, type SampledDocument } from "../../bench/growth/sampled-documents.ts";
import { searchCases, searchQuery } from "../../bench/growth/search-queries.ts";
import { TextSource } from "../../bench/growth/synthetic-text.ts";
import { VectorSource } from "../../bench/growth/synthetic-vectors.ts";
import { planTenants, type TenantPlan } from "../../bench/growth/tenant-plan.ts";
import { buildSearchIndex } from "../../src/lib/flows/search-recall/build-search-index.ts";
import { nativeBinFolder } from "../../src/stack/postgres/native-server.ts";
import { expectOk, openTestDatabase, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends, CACHE_FOLDER } from "../support/postgres-servers.ts";

// Plans, not times: bench/growth/main.ts measures a million chunks. Few dimensions, so that the graph of the largest partition is built in seconds.
const CHUNKS = 100_000;
const TENANTS = 12;
const DIMENSIONS = 8;
const EXACT_ROWS_MAX = 2_000;
const TURNS = 3;
/** Half a minute on two idle cores; several times as long beside other suites. */
const SETUP_TIMEOUT_MS = 600_000;

describe.each(await availableBackends(["native"]))("plans over a hundred thousand chunks, on %s", (backend) => {
  let database: TestDatabase;
  let plan: TenantPlan;
  let documents: SampledDocument[] = [];
  const sources = { texts: new TextSource(), vectors: new VectorSource(DIMENSIONS, 1) };
  const setting = { sources, exactRowsMax: EXACT_ROWS_MAX };

  beforeAll(async () => {
    database = await openTestDatabase({ backend, timeoutMs: 120_000 });
    const psqlPath = join(expectOk(await nativeBinFolder(CACHE_FOLDER)), "psql");
    const filled = { ...database, psqlPath };
    plan = planTenants(CHUNKS, TENANTS, await namesBesideGiant(filled));
    await registerModel(filled, DIMENSIONS);
    for (const tenant of plan.tenants) await fillTenant(filled, tenant, sources);
    expectOk(await database.ownerSql.query(statement("vacuum analyze")));
    // The giant's partition alone, so that the suite stays short.
    const options = { partitionRowsMin: CHUNKS * 0.4, tenantChunksMin: EXACT_ROWS_MAX, buildTimeoutMs: 120_000 };
    const { proofs } = expectOk(await buildSearchIndex(database, options));
    expect(proofs).toMatchObject([{ isApproved: true }]);
    documents = await sampleDocuments(database.sql, plan.giant.tenantId, 200);
  }, SETUP_TIMEOUT_MS);
  afterAll(() => database?.close());

  it("counts by triggers what was copied, for every tenant", async () => {
    const rows = expectOk(
      await database.ownerSql.query(
        statement(
          `select (select sum(chunk_count) from scope_counts)::int as counted, (select count(*) from doc_embeddings)::int as stored,
          (select count(distinct tableoid) from doc_embeddings where tenant_id = any($1::text[]))::int as partitions`,
          [plan.giant.tenantId, plan.middle.tenantId, plan.small.tenantId],
        ),
      ),
    );
    const planned = plan.tenants.reduce((sum, tenant) => sum + tenant.chunkCount, 0);
    expect(rows).toEqual([{ counted: planned, stored: planned, partitions: 1 }]);
  });

  it("answers each hot query from the indexes meant for it, of one partition, without reading a table that grows", async () => {
    const faults: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const query of hotQueries(plan.giant.tenantId, documents, 7 * turn)) {
        const found = planFaults(query, await examine(database.sql, query));
        faults.push(...found.map((fault) => `${query.name}: ${fault}`));
      }
    }
    expect(faults).toEqual([]);
  });

  it("searches small scopes by their b-tree and large ones by HNSW and GIN, whatever the filter", async () => {
    const faults: string[] = [];
    for (const searched of searchCases(plan)) {
      const query = searchQuery(searched, 1, setting);
      const found = planFaults(query, await examine(database.sql, query));
      faults.push(...found.map((fault) => `${query.name}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });

  it("would notice a table that is read from end to end, an index that is not used, and a second partition", () => {
    const expects = [/^documents_pkey$/];
    expect(planFaults({ expects }, { indexes: ["documents_pkey"], wholeTables: ["batches"] })).toEqual([]);
    expect(planFaults({ expects }, { indexes: [], wholeTables: ["doc_embeddings_p03"] })).toHaveLength(2);
    const two = ["documents_pkey", "doc_embeddings_p03_pkey", "doc_embeddings_p04_pkey"];
    expect(planFaults({ expects }, { indexes: two, wholeTables: [] })).toEqual(["looks into 2 partitions"]);
  });
});
