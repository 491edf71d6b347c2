// A store of a million chunks: plans, buffers and times of every hot query, builds of indexes, recall, inserts.
//   node bench/growth/main.ts [--rows 1000000] [--tenants 60] [--dimensions 384] [--server native|URL] [--filled] [--json FILE] [--report FILE]
// URL: an own database with pgvector, as its superuser; --filled: an earlier run with the same numbers has filled it.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { buildSearchIndex, type SearchIndexReport } from "../../src/lib/flows/search-recall/build-search-index.ts";
import { expectOk, statement } from "../../test/support/database.ts";
import type { BenchReport, Figure } from "../support/figure.ts";
import { median } from "../support/statistics.ts";
import { fillTenant, namesBesideGiant, nameWhere, registerModel } from "./fill-store.ts";
import { filteredRecall } from "./filtered-recall.ts";
import { hotQueries } from "./hot-queries.ts";
import { measureQuery, type Measured } from "./measure.ts";
import { openGrowthStore } from "./open-store.ts";
import { sampleDocuments } from "./sampled-documents.ts";
import { searchCases, searchQuery } from "./search-queries.ts";
import { readSizes } from "./sizes.ts";
import { TextSource } from "./synthetic-text.ts";
import { VectorSource } from "./synthetic-vectors.ts";
import { planTenants } from "./tenant-plan.ts";

const TURNS = 20;
const SEARCH_TURNS = 10;
/** Of a million rows a scope of 20,000 is searched exactly; a smaller store has smaller scopes. */
const EXACT_SHARE = 0.02;
const BUILD_TIMEOUT_MS = 2 * HOUR_MS;
/** Chunks that are written at once, and how often, to see what a graph costs. */
const WRITTEN_CHUNKS = 2_000;
const WRITE_ROUNDS = 3;

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    tenants: { type: "string", default: "60" },
    dimensions: { type: "string", default: "384" },
    server: { type: "string", default: "native" },
    filled: { type: "boolean", default: false },
    json: { type: "string" },
    report: { type: "string" },
  },
});
const rowCount = Number(values.rows);
const dimensions = Number(values.dimensions);
const store = await openGrowthStore(values.server);
const sources = { texts: new TextSource(), vectors: new VectorSource(dimensions, 1) };
const setting = { sources, exactRowsMax: Math.round(rowCount * EXACT_SHARE) };
const plan = planTenants(rowCount, Number(values.tenants), await namesBesideGiant(store));
const seconds = (startedMs: number): number => (performance.now() - startedMs) / 1000;
try {
  const fillSeconds = values.filled ? undefined : await fill();
  const build = await buildIndexes();
  const queries = await measureAll();
  const recalls = await measureRecalls();
  const writes = await measureWrites();
  const sizes = await readSizes(store.ownerSql);
  printTables(queries, recalls);
  const figures = { rowCount, dimensions, fillSeconds, build, queries, recalls, writes, sizes };
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(figures, null, 2));
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(reportOf(queries)));
  if (queries.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
} finally {
  await store.close();
}

async function fill(): Promise<number> {
  const startedMs = performance.now();
  await registerModel(store, dimensions);
  for (const tenant of plan.tenants) await fillTenant(store, tenant, sources);
  expectOk(await store.ownerSql.query(statement("vacuum analyze"), { timeoutMs: BUILD_TIMEOUT_MS }));
  console.log(`${rowCount} chunks of ${plan.tenants.length} tenants written in ${seconds(startedMs).toFixed(0)} s`);
  return seconds(startedMs);
}

/** Chunks a second that COPY writes, with everything that hangs on them, in turn into a partition with a graph and one without. */
async function measureWrites(): Promise<{ readonly withGraph: number; readonly without: number }> {
  const graphs = "(select partition_name from search_indexes where approved)";
  const rateInto = async (condition: string): Promise<number> => {
    const tenantId = await nameWhere(store, `written-${Date.now().toString(36)}-`, condition);
    const startedMs = performance.now();
    await fillTenant(store, { tenantId, chunkCount: WRITTEN_CHUNKS }, sources);
    return WRITTEN_CHUNKS / seconds(startedMs);
  };
  const withGraph: number[] = [];
  const without: number[] = [];
  for (let round = 0; round < WRITE_ROUNDS; round += 1) {
    without.push(await rateInto(`chunk_partition(name) not in ${graphs}`));
    withGraph.push(await rateInto("chunk_partition(name) = chunk_partition('giant')"));
  }
  const rates = { withGraph: median(withGraph), without: median(without) };
  console.log(
    `chunks/s by COPY: ${rates.without.toFixed(0)}, into a partition with a graph ${rates.withGraph.toFixed(0)}`,
  );
  return rates;
}

async function buildIndexes(): Promise<{ readonly seconds: number; readonly report: SearchIndexReport }> {
  const startedMs = performance.now();
  const options = {
    partitionRowsMin: setting.exactRowsMax,
    tenantChunksMin: setting.exactRowsMax,
    buildTimeoutMs: BUILD_TIMEOUT_MS,
  };
  const report = expectOk(await buildSearchIndex(store, options));
  console.log(
    `${report.built.length} indexes built, ${report.proofs.length} measured in ${seconds(startedMs).toFixed(0)} s`,
  );
  for (const { indexName, recall, efSearch, isApproved } of report.proofs)
    console.log(
      `  ${indexName}: recall@10 ${recall.toFixed(3)} at ef_search ${efSearch}${isApproved ? "" : ", refused"}`,
    );
  return { seconds: seconds(startedMs), report };
}

async function measureAll(): Promise<Measured[]> {
  const measured: Measured[] = [];
  const documents = await sampleDocuments(store.sql, plan.giant.tenantId, TURNS * 10);
  const names = hotQueries(plan.giant.tenantId, documents, 0).map(({ name }) => name);
  for (const [index] of names.entries()) {
    const queryOf = (turn: number) => {
      const query = hotQueries(plan.giant.tenantId, documents, 7 * turn)[index];
      if (query === undefined) throw new Error("as many queries each time");
      return query;
    };
    measured.push(await measureQuery(store.sql, queryOf, TURNS));
  }
  for (const searched of searchCases(plan))
    measured.push(await measureQuery(store.sql, (turn) => searchQuery(searched, turn, setting), SEARCH_TURNS));
  return measured;
}

async function measureRecalls(): Promise<{ readonly name: string; readonly recall: number }[]> {
  const recalls = [];
  for (const searched of searchCases(plan).filter(({ path }) => path === "indexed"))
    recalls.push({ name: searched.name, recall: await filteredRecall(store.sql, searched, setting, SEARCH_TURNS) });
  return recalls;
}

function printTables(
  queries: readonly Measured[],
  recalls: readonly { readonly name: string; readonly recall: number }[],
): void {
  console.log(
    "\n| query | p50 ms | p95 ms | pages | rows | indexes | wrong |\n| --- | --- | --- | --- | --- | --- | --- |",
  );
  for (const { name, p50Ms, p95Ms, bufferCount, rowCount: rows, indexes, faults } of queries)
    console.log(
      `| ${name} | ${p50Ms.toFixed(1)} | ${p95Ms.toFixed(1)} | ${bufferCount} | ${rows} | ${indexes.join(" ")} | ${faults.join("; ")} |`,
    );
  console.log("\n| search | recall@10 |\n| --- | --- |");
  for (const { name, recall } of recalls) console.log(`| ${name} | ${recall.toFixed(3)} |`);
}

function reportOf(queries: readonly Measured[]): BenchReport {
  const figures: Figure[] = queries.map(({ name, p50Ms }) => ({
    name: `${name}, ${rowCount / 1000} thousand chunks`,
    unit: "ms",
    ours: { name: "p50", samples: [p50Ms] },
    isCost: true,
  }));
  const details = queries.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`));
  return { bench: "growth", figures, skipped: [], details };
}
