// Retrieval quality through the running system: ingest and search over the public API, judged by a set on disk.
//   node bench/retrieval/cranfield.ts FOLDER [--url URL --key KEY] [--database pglite|native] [--report FILE]
// Without --url a stack of its own is started. Documents stand in the tenant of the key; each hit counts for its document.
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { ApiClient } from "../../src/cli/api-client.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { type DatabaseKind, startBenchStack } from "../end-to-end/bench-stack.ts";
import { percentile } from "../support/statistics.ts";
import { figuresOf, type JudgedSet, meanFigures, type RankingFigures, readJudgedSet } from "./judged-set.ts";
import { PlainBm25 } from "./plain-bm25.ts";

const DOCUMENTS_PER_REQUEST = 100;
const INGEST_LIMIT_MS = 20 * MINUTE_MS;
/** What the union has to reach, and what it aims at. */
const NDCG_TARGET = 0.43;
const NDCG_AIM = 0.45;

const WAYS = [
  { name: "words alone (BM25)", body: { mode: "lexical" } },
  { name: "vectors alone", body: { mode: "vector" } },
  { name: "both, reciprocal ranks", body: { mode: "hybrid", fusion: "rrf" } },
  { name: "both, convex", body: { mode: "hybrid", fusion: "convex" } },
] as const;

const batchSchema = z.looseObject({
  state: z.string(),
  outcomes: z.record(z.string(), z.number()),
  chunk_count: z.number(),
});

async function ingest(api: ApiClient, set: JudgedSet): Promise<string> {
  const batchTag = `judged-${Date.now()}`;
  for (let start = 0; start < set.documents.length; start += DOCUMENTS_PER_REQUEST) {
    const documents = set.documents.slice(start, start + DOCUMENTS_PER_REQUEST);
    await api.json(z.looseObject({}), {
      method: "POST",
      path: "/v1/documents",
      json: { batch_tag: batchTag, documents },
    });
  }
  const deadlineMs = Date.now() + INGEST_LIMIT_MS;
  for (;;) {
    const batch = await api.json(batchSchema, { path: `/v1/batches/${batchTag}` });
    if (batch.state.startsWith("done")) return `${JSON.stringify(batch.outcomes)}, ${batch.chunk_count} chunks`;
    if (Date.now() > deadlineMs) throw new Error(`ingest is ${batch.state} after ${INGEST_LIMIT_MS} ms`);
    await sleep(500);
  }
}

async function measure(
  api: ApiClient,
  set: JudgedSet,
  body: object,
): Promise<{ figures: RankingFigures; tookMs: number[] }> {
  const list: RankingFigures[] = [];
  const tookMs: number[] = [];
  for (const query of set.queries) {
    const startedMs = performance.now();
    const reply = await api.json(searchReplySchema, {
      method: "POST",
      path: "/v1/search",
      json: { query: query.text, k: 100, ...body },
    });
    tookMs.push(performance.now() - startedMs);
    if (reply.degraded.length > 0) throw new Error(`the search was degraded: ${reply.degraded.join()}`);
    const ranking = [...new Set(reply.hits.map((hit) => hit.document_id))];
    list.push(figuresOf(ranking, set.judgements.get(query.id) ?? new Map()));
  }
  return { figures: meanFigures(list), tookMs };
}

function row(name: string, figures: RankingFigures, tookMs: readonly number[]): string {
  const times =
    tookMs.length === 0 ? ["", ""] : [percentile(tookMs, 0.5).toFixed(0), percentile(tookMs, 0.95).toFixed(0)];
  return `| ${[name, figures.ndcg10.toFixed(4), figures.mrr10.toFixed(4), figures.recall100.toFixed(4), ...times].join(" | ")} |`;
}

async function run(api: ApiClient, set: JudgedSet): Promise<{ lines: string[]; ndcg10: number }> {
  console.log(`ingested: ${await ingest(api, set)}`);
  const plain = new PlainBm25(set.documents.map(({ id, title, text }) => ({ id, text: `${title} ${text}` })));
  const opponent = meanFigures(
    set.queries.map((query) => figuresOf(plain.rank(query.text), set.judgements.get(query.id) ?? new Map())),
  );
  const lines = [
    "| ranking | nDCG@10 | MRR@10 | recall@100 | p50 ms | p95 ms |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  lines.push(row("plain BM25 in memory, no stemming", opponent, []));
  let ndcg10 = 0;
  for (const way of WAYS) {
    const { figures, tookMs } = await measure(api, set, way.body);
    lines.push(row(way.name, figures, tookMs));
    ndcg10 = figures.ndcg10;
  }
  return { lines, ndcg10 };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string" },
    key: { type: "string" },
    database: { type: "string" },
    report: { type: "string" },
  },
});
const [folder] = positionals;
if (folder === undefined)
  throw new Error("usage: cranfield.ts FOLDER [--url URL --key KEY] [--database pglite|native] [--report FILE]");
const set = await readJudgedSet(folder);
const kind: DatabaseKind = values.database === "native" ? "native" : "pglite";
const stack = values.url === undefined ? await startBenchStack(kind) : undefined;
if (typeof stack === "string") throw new Error(stack);
try {
  const url = values.url ?? stack?.url ?? "";
  const key = values.key ?? (await stack?.keyOf("judged")) ?? "";
  const { lines, ndcg10 } = await run(new ApiClient(url, key), set);
  const verdict = `union ${ndcg10.toFixed(4)}: at least ${NDCG_TARGET} ${ndcg10 >= NDCG_TARGET ? "met" : "MISSED"}, aim ${NDCG_AIM}${ndcg10 >= NDCG_AIM ? " met" : ""}`;
  console.log([...lines, verdict].join("\n"));
  if (values.report !== undefined) await writeFile(values.report, `${[...lines, verdict].join("\n")}\n`);
  process.exitCode = ndcg10 >= NDCG_TARGET ? 0 : 1;
} finally {
  await stack?.stop();
}
