import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ok } from "../../src/lib/base/result.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { buildSearchIndex } from "../../src/lib/flows/search-recall/build-search-index.ts";
import { recallProbe } from "../../src/lib/flows/search-recall/recall-probe-job.ts";
import { adviseIndexes } from "../../src/lib/flows/jobs/advise-indexes.ts";
import { TimeBudget } from "../../src/lib/flows/jobs/time-budget.ts";
import { upsertIndexProof } from "../../src/lib/db/queries/search-recall.ts";
import { expectOk, rowsIn, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { HASH_DIMENSIONS } from "./support/hash-embedder.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const TENANT = "large";
const CHUNKS = 800;
const CHUNKS_MIN = 500;
const PROBE = recallProbe(CHUNKS_MIN);
const BUILD = { partitionRowsMin: CHUNKS_MIN, tenantChunksMin: CHUNKS_MIN, buildTimeoutMs: 60_000 };

const reportSchema = z.object({
  exact: z.boolean(),
  tenantCount: z.int(),
  models: z.array(z.object({ model_id: z.int(), recall: z.number(), sample_count: z.int(), scope_count: z.int() })),
  low: z.array(z.object({ tenant_id: z.string(), recall: z.number() })),
  failedCount: z.int(),
});

describe.each(await availableBackends(["pglite", "native"]))("the recall probe, on %s", (backend) => {
  let world: World;
  let index = "";

  beforeAll(async () => {
    world = await openWorld(backend);
    // A job finds tenants by their objects.
    for (const tenantId of [TENANT, "small"]) await world.bucket.put(`wal/${tenantId}/2026-11-23/x.mpz`, "x");
    await fill(CHUNKS);
    const rows = await world.database.ownerSql.query(statement("select chunk_partition($1) as name", TENANT));
    index = `${String(expectOk(rows)[0]?.["name"])}_hnsw_m1`;
  });
  afterAll(() => world?.close());

  const owner = async (text: string): Promise<void> => {
    expectOk(await world.database.ownerSql.query(statement(text)));
  };

  async function fill(count: number): Promise<void> {
    const random = new SeededRandom(5);
    const vectors = Array.from({ length: count }, () => {
      const vector = Array.from({ length: HASH_DIMENSIONS }, () => random.next() - 0.5);
      return JSON.stringify(vector.map((value) => value / Math.hypot(...vector)));
    });
    const insert = [
      `insert into documents (tenant_id, document_uid, document_id, tier, content_hash, model_id, version_key, batch_tag, wal_key, wal_id, document_index)
       select '${TENANT}', md5(n::text)::uuid, 'd' || n, 'doc', '\\x00', 1, 'v', 'b', 'k', 'w', 0 from generate_series(1, $1::int) n`,
      `insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, tier, batch_tag, generation, chunk_hash, text, start_offset, end_offset,
         token_count, lexeme_count, embedding, lexemes)
       select '${TENANT}', 1, md5(n::text)::uuid, 0, 'doc', 'b', 1, '\\x00', 'text', 0, 4, 1, 1, v::halfvec, '{1:1}/536870912'
       from unnest($1::text[]) with ordinality as r (v, n)`,
    ];
    const scope = { tenantId: TENANT, userId: "*" };
    await rowsIn(world.database.sql, scope, statement(insert[0] ?? "", count), statement(insert[1] ?? "", vectors));
  }

  /** A graph so thin that much of it is out of reach, as a build from other settings or a damaged one would be. */
  async function buildThinIndex(): Promise<void> {
    const partition = index.replace("_hnsw_m1", "");
    await owner(`drop index if exists ${index}`);
    await owner(
      `create index ${index} on ${partition} using hnsw ((embedding::halfvec(${HASH_DIMENSIONS})) halfvec_ip_ops)
       with (m = 2, ef_construction = 4) where model_id = 1`,
    );
    await owner(`analyze ${partition}`);
  }

  async function approve(): Promise<void> {
    const partition = index.replace("_hnsw_m1", "");
    const proof = {
      indexName: index,
      partition,
      modelId: 1,
      isApproved: true,
      efSearch: 100,
      recall: 1,
      sampleCount: 1,
    };
    expectOk(await world.database.ownerSql.query(upsertIndexProof(proof)));
  }

  /** What the maintenance report says. */
  const unproven = async () => expectOk(await adviseIndexes(world.database.sql)).unprovenIndexes;

  const probed = async () => {
    const { report, state } = expectOk(await runTicked(world.context(), PROBE));
    return { state, report: reportSchema.parse(report) };
  };

  /** Every second row that an index answers is lost, however broadly it is searched. */
  const losing = (sql: Sql): Sql => ({
    query: (...asked) => sql.query(...asked),
    async transaction(...asked) {
      const read = await sql.transaction(...asked);
      if (!read.ok) return read;
      return ok(read.value.map((rows) => rows.filter((row, at) => row["path"] !== "indexed" || at % 2 === 0)));
    },
  });

  it("says 1 and exact where no scope is large enough for an index", async () => {
    const ran = await recallProbe(CHUNKS).run(world.context(), FIRST_RUN);
    expect(ran).toMatchObject({ outcome: "done", report: { exact: true, tenantCount: 2, low: [] } });
    expect(ran.gauges).toEqual([{ name: "search_recall_at_10", labels: { model: "1" }, value: 1 }]);
  });

  it("finds everything in a large scope that has no index, and turns to other samples the next time", async () => {
    const first = await PROBE.run(world.context(), FIRST_RUN);
    expect(first).toMatchObject({ outcome: "done", report: { exact: false, low: [] }, cursor: { rotation: 1 } });
    expect(reportSchema.parse(first.report).models).toEqual([
      { model_id: 1, recall: 1, sample_count: 5, scope_count: 1 },
    ]);
  });

  it("finds everything beside an index that nothing has approved, because no search uses it", async () => {
    await buildThinIndex();
    expect(await unproven()).toEqual([index]);
    expect(await probed()).toMatchObject({ state: "done", report: { models: [{ recall: 1 }] } });
  });

  it("fails and names the tenant when the index in use misses too much", async () => {
    await approve();
    expect(await unproven()).toEqual([]);
    const { state, report } = await probed();
    expect(state).toBe("failed");
    expect(report.low.map(({ tenant_id: tenantId }) => tenantId)).toEqual([TENANT]);
    expect(report.models[0]?.recall).toBeLessThan(0.95);
  });

  it("is content again after build-index, which searches a thin index more broadly until it finds enough", async () => {
    const built = expectOk(await buildSearchIndex(world.database, BUILD));
    expect(built.built).not.toContain(index);
    expect(built.proofs).toMatchObject([{ indexName: index, isApproved: true }]);
    expect(built.proofs[0]?.efSearch).toBeGreaterThan(100);
    expect(built.proofs[0]?.recall).toBeGreaterThanOrEqual(0.95);
    expect(await probed()).toMatchObject({ state: "done", report: { low: [] } });
  });

  it("has nothing to complain of an index that build-index gave up: it was built anew, measured, and dropped", async () => {
    const built = expectOk(await buildSearchIndex({ ...world.database, sql: losing(world.database.sql) }, BUILD));
    expect(built.built).toEqual([index]);
    expect(built.proofs).toMatchObject([{ indexName: index, isApproved: false }]);
    const left = await world.database.ownerSql.query(statement("select to_regclass($1)::text as name", index));
    expect(left).toMatchObject({ value: [{ name: null }] });
    expect(await probed()).toMatchObject({ state: "done", report: { models: [{ recall: 1 }] } });
  });

  it("goes on behind the last tenant when its time is over", async () => {
    let nowMs = 0;
    const budget = new TimeBudget(() => (nowMs += 1), 2);
    const first = await recallProbe(CHUNKS).run(world.context(), { ...FIRST_RUN, budget });
    expect(first).toMatchObject({ outcome: "partial", cursor: { after_tenant: TENANT } });
    const second = await recallProbe(CHUNKS).run(world.context(), { ...FIRST_RUN, cursor: first.cursor });
    expect(second).toMatchObject({ outcome: "done", report: { tenantCount: 1 }, cursor: { rotation: 1 } });
  });
});
