// Time of one search in the database, exact against indexed path, and what the index misses.
//   node bench/retrieval/search-latency.ts [--database pglite|native] [--chunks 10000] [--index] [--report FILE]
// Chunks hold real words (addresses of the union), vectors are synthetic and clustered. Through the driver and the `/sql` endpoint, under
// row-level security, candidates for k = 10 with ranking.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CandidateRow, candidateRowSchema, exactCandidates } from "../../src/lib/db/queries/search.ts";
import { indexedCandidates, searchSettings } from "../../src/lib/db/queries/search-indexed.ts";
import type { CandidateSearch } from "../../src/lib/db/queries/search-parts.ts";
import type { Statement } from "../../src/lib/db/sql.ts";
import { buildSearchIndex } from "../../src/lib/flows/search-recall/build-search-index.ts";
import { BM25_B, BM25_K1 } from "../../src/lib/lexical/bm25.ts";
import { packedQueries, queryTermsOf } from "../../src/lib/lexical/query-terms.ts";
import { readAddresses } from "../../src/cli/demo/corpus.ts";
import { expectOk, openTestDatabase, statement, type TestDatabase } from "../../test/support/database.ts";
import type { BenchReport, Figure } from "../support/figure.ts";
import { percentile } from "../support/statistics.ts";
import { chunkTexts, clusteredVectors, DIMENSIONS, fillStore, MODEL_ID, seededRandom } from "./synthetic-store.ts";

const TENANT = "latency";
const QUERIES = 60;
const TOP = 10;

function searchOf(query: string, vector: readonly number[], exactRowsMax: number): CandidateSearch {
  const terms = queryTermsOf(query);
  const bm25 = { k1: BM25_K1, b: BM25_B };
  const scope = {
    variant: "vector",
    tenantId: TENANT,
    userId: "",
    tiers: [],
    modelId: MODEL_ID,
    dimensions: DIMENSIONS,
  } as const;
  return {
    ...scope,
    queryVector: vector,
    terms,
    packs: packedQueries(terms),
    bm25,
    filters: {},
    candidatesMax: 50,
    exactRowsMax,
  };
}

async function timed(
  database: TestDatabase,
  statements: readonly Statement[],
): Promise<{ rows: CandidateRow[]; tookMs: number }> {
  const startedMs = performance.now();
  const read = expectOk(
    await database.sql.transaction({ tenantId: TENANT, userId: "" }, statements, { readOnly: true }),
  );
  const rows = (read.at(-1) ?? []).map((row) => candidateRowSchema.parse(row));
  return { rows, tookMs: performance.now() - startedMs };
}

/** Share of the best of one side that the other answer holds too. */
function recall(
  truth: readonly CandidateRow[],
  found: readonly CandidateRow[],
  side: "vector_score" | "lexical_score",
): number {
  const keyOf = (row: CandidateRow): string => `${row.document_uid}/${row.chunk_index}`;
  const best = truth
    .filter((row) => (row[side] ?? 0) > 0)
    .toSorted((a, b) => (b[side] ?? 0) - (a[side] ?? 0))
    .slice(0, TOP);
  const known = new Set(found.map(keyOf));
  return best.length === 0 ? 1 : best.filter((row) => known.has(keyOf(row))).length / best.length;
}

// Two to six neighbouring words of a random chunk: what people type.
function queriesFrom(texts: readonly string[]): string[] {
  const random = seededRandom(5);
  return Array.from({ length: QUERIES }, () => {
    const words = (texts[Math.floor(random() * texts.length)] ?? "").split(/\s+/);
    const start = Math.floor(random() * Math.max(1, words.length - 6));
    return words.slice(start, start + 2 + Math.floor(random() * 5)).join(" ");
  });
}

/** Samples of a figure are the queries of one run. */
function figuresOf(name: string, times: readonly number[]): Figure[] {
  const figure = (what: string, share: number): Figure => ({
    name: `search ${what}, ${count / 1000} thousand chunks, ${backend}, ${name}`,
    unit: "ms",
    ours: { name: "search", samples: [percentile(times, share)] },
    isCost: true,
  });
  return [figure("p50", 0.5), figure("p95", 0.95)];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const { values } = parseArgs({
  options: {
    database: { type: "string" },
    chunks: { type: "string" },
    index: { type: "boolean" },
    report: { type: "string" },
  },
});
const backend = values.database === "native" ? "native" : "pglite";
const count = Number(values.chunks ?? 10_000);
const database = await openTestDatabase({ backend, timeoutMs: 600_000 });
try {
  const addresses = await readAddresses(true);
  const texts = chunkTexts(
    addresses.map(({ text }) => text),
    count,
  );
  expectOk(
    await database.ownerSql.query(
      statement(`insert into embedding_models (model_id, fingerprint, model_name, revision, dimensions, max_input_tokens, state)
    overriding system value values (${MODEL_ID}, 'bench', 'bench', '1', ${DIMENSIONS}, 256, 'active')`),
    ),
  );
  const loadedMs = performance.now();
  await fillStore(database.sql, TENANT, texts);
  console.log(`${backend}: ${count} chunks stored in ${((performance.now() - loadedMs) / 1000).toFixed(1)} s`);
  if (values.index === true) {
    const builtMs = performance.now();
    const options = { partitionRowsMin: 1_000, tenantChunksMin: 1_000, buildTimeoutMs: 600_000 };
    const report = expectOk(await buildSearchIndex({ ownerSql: database.ownerSql, sql: database.sql }, options));
    console.log(`built ${report.built.join(", ")} in ${((performance.now() - builtMs) / 1000).toFixed(1)} s`);
  } else expectOk(await database.ownerSql.query(statement("analyze doc_embeddings")));
  const nextVector = clusteredVectors(42);
  const exactMs: number[] = [];
  const indexedMs: number[] = [];
  const recalls = { vector_score: [] as number[], lexical_score: [] as number[] };
  for (const query of queriesFrom(texts)) {
    const vector = nextVector();
    const all = searchOf(query, vector, count * 2);
    const exact = await timed(database, [searchSettings(all), exactCandidates(all)]);
    exactMs.push(exact.tookMs);
    if (values.index !== true) continue;
    const search = searchOf(query, vector, 1);
    const indexed = await timed(database, [searchSettings(search), indexedCandidates(search)]);
    indexedMs.push(indexed.tookMs);
    for (const side of ["vector_score", "lexical_score"] as const)
      recalls[side].push(recall(exact.rows, indexed.rows, side));
  }
  const line = (name: string, times: readonly number[], found: string): string =>
    `| ${backend}, ${count} chunks, ${name} | ${percentile(times, 0.5).toFixed(0)} | ${percentile(times, 0.95).toFixed(0)} | ${found} |`;
  console.log("| search | p50 ms | p95 ms | recall@10 of vectors / of words |\n| --- | --- | --- | --- |");
  console.log(line("every row", exactMs, "1 / 1"));
  if (indexedMs.length > 0) {
    console.log(
      line(
        "indexed",
        indexedMs,
        `${mean(recalls.vector_score).toFixed(3)} / ${mean(recalls.lexical_score).toFixed(3)}`,
      ),
    );
  }
  const figures = [
    ...figuresOf("every row", exactMs),
    ...(indexedMs.length === 0 ? [] : figuresOf("indexed", indexedMs)),
  ];
  const report: BenchReport = { bench: "search", figures, skipped: [], details: [] };
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report));
} finally {
  await database.close();
}
