/**
 * What the server costs beside its model: tokens a second of the bare sessions and of the server over HTTP on the same texts, in turn;
 * padding of the batches it forms; and the time of a single query on an idle server and while bulk clients saturate it, in turn.
 *
 * `node bench/throughput.ts FILES_OR_FOLDERS… [--precision int8] [--set mixed|short|long] [--tokens 60000] [--rounds 5]
 * [--clients 4] [--request 32] [--queries 100] [--report FILE]`
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import type { BenchReport } from "../../bench/support/figure.ts";
import { printReport } from "../../bench/support/print-figures.ts";
import { percentile } from "../../bench/support/statistics.ts";
import { startBareSession } from "../src/engine/bare-session.ts";
import { bareSeconds, tokenizedBatches } from "./support/bare-batches.ts";
import { benchModel } from "./support/bench-model.ts";
import { embedAll, embedOnce, type ClientPlan, type EmbedTarget } from "./support/embed-client.ts";
import { startEmbedder, type EmbedderProcess } from "./support/embedder-process.ts";
import { describeMachine, loadNow } from "./support/machine.ts";
import { readSeries } from "./support/prometheus.ts";
import { readTexts } from "./support/text-files.ts";
import { cutTextSet, SET_NAMES, type TextSet } from "./support/text-sets.ts";

const count = (fallback: number): z.ZodType<number> => z.coerce.number().int().min(1).default(fallback);
const optionsSchema = z.object({
  precision: z.enum(["fp32", "int8"]).default("int8"),
  set: z.enum(SET_NAMES).default("mixed"),
  tokens: count(60_000),
  rounds: count(5),
  clients: count(4),
  request: count(32),
  queries: count(100),
  report: z.string().optional(),
});
const text = { type: "string" } as const;
const { positionals: paths, values } = parseArgs({
  allowPositionals: true,
  options: {
    precision: text,
    set: text,
    tokens: text,
    rounds: text,
    clients: text,
    request: text,
    queries: text,
    report: text,
  },
});
if (paths.length === 0) throw new Error("usage: node bench/throughput.ts FILES_OR_FOLDERS…");
const options = optionsSchema.parse(values);

/** Between two queries, so that each finds the server as it is between requests. */
const QUERY_PAUSE_MS = 10;
const WARM_UP_QUERIES = 20;
const SATURATION_MS = 1_000;
const QUERY = "how does the boundary layer behave at hypersonic speed";

const plan: ClientPlan = { connections: options.clients, requestTexts: options.request };
const report: BenchReport = { bench: "embedder-throughput", figures: [], skipped: [], details: [] };
const folder = mkdtempSync(join(tmpdir(), "embedder-throughput-"));
console.log(`${describeMachine(process.env)}; load ${loadNow()}`);
const model = await benchModel(options.precision);
const set = await cutTextSet(options.set, readTexts(paths), {
  tokenizer: model.tokenizer,
  tokensMin: options.tokens,
  folder,
});
const server = await startEmbedder({ EMBED_PRECISION: options.precision });
try {
  await measureOverhead(server, set);
  await measureQueries(server, set);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
printReport(report);
if (options.report !== undefined) writeFileSync(options.report, JSON.stringify(report));

function targetOf({ url }: EmbedderProcess, lane: "interactive" | "bulk"): EmbedTarget {
  return { url: `${url}/v1/embeddings`, modelName: model.modelId, headers: { "x-embed-lane": lane } };
}

/** Bare sessions in this process and the server in its own, each with a session of one thread per core. */
async function measureOverhead(embedder: EmbedderProcess, texts: TextSet): Promise<void> {
  const batches = await tokenizedBatches(texts.texts, model.tokenizer);
  const sessions = await Promise.all(Array.from({ length: availableParallelism() }, () => startBareSession(model)));
  const bare: number[] = [];
  const http: number[] = [];
  const bulk = targetOf(embedder, "bulk");
  await bareSeconds(sessions, batches);
  await embedAll(bulk, texts.texts, plan);
  const names = ["te_batch_next_tokens_sum", "te_batch_padding_tokens"] as const;
  const before = await readSeries(embedder.url, names);
  for (let round = 0; round < options.rounds; round += 1) {
    const load = loadNow();
    bare.push(texts.tokenCount / (await bareSeconds(sessions, batches)));
    http.push(texts.tokenCount / (await embedAll(bulk, texts.texts, plan)).seconds);
    console.log(`round ${round + 1}: bare ${bare.at(-1)?.toFixed(0)}, HTTP ${http.at(-1)?.toFixed(0)} (load ${load})`);
  }
  const after = await readSeries(embedder.url, names);
  await Promise.all(sessions.map((session) => session.close()));
  const [tokens = 0, padding = 0] = after.map((value, index) => value - (before[index] ?? 0));
  report.figures.push(
    {
      name: `server against bare sessions, ${texts.name} texts, ${options.precision}`,
      unit: "tokens/s",
      ours: { name: "HTTP", samples: http },
      opponent: { name: "bare", samples: bare },
      target: 0.92,
    },
    {
      name: `padding efficiency, ${texts.name} texts`,
      unit: "share of tokens",
      ours: { name: "HTTP", samples: [tokens / (tokens + padding)] },
      target: 0.95,
    },
  );
  report.details.push(
    `${texts.texts.length} texts, ${texts.tokenCount} tokens, ${plan.connections} clients × ${plan.requestTexts} texts`,
    `padding: ${padding} of ${tokens + padding} tokens computed, by the server's counters: efficiency ${(tokens / (tokens + padding)).toFixed(4)}`,
  );
}

/** p50 and p95 of single queries, idle and saturated in turn; the ratio of p95 is that of neighbouring rounds. */
async function measureQueries(embedder: EmbedderProcess, texts: TextSet): Promise<void> {
  const idle = { p50: [] as number[], p95: [] as number[] };
  const busy = { p50: [] as number[], p95: [] as number[] };
  const bulkRates: number[] = [];
  await queryTimes(embedder, WARM_UP_QUERIES);
  for (let round = 0; round < options.rounds; round += 1) {
    const calm = await queryTimes(embedder, options.queries);
    const load = saturate(embedder, texts);
    await sleep(SATURATION_MS);
    const saturated = await queryTimes(embedder, options.queries);
    bulkRates.push(await load.end());
    for (const [list, times] of [
      [idle, calm],
      [busy, saturated],
    ] as const) {
      list.p50.push(percentile(times, 0.5));
      list.p95.push(percentile(times, 0.95));
    }
    console.log(
      `round ${round + 1}: query p95 ${idle.p95.at(-1)?.toFixed(1)} ms idle, ${busy.p95.at(-1)?.toFixed(1)} ms saturated`,
    );
  }
  const figure = (
    name: string,
    samples: number[],
    opponent: number[],
    target?: number,
  ): BenchReport["figures"][number] => ({
    name,
    unit: "ms",
    ours: { name: "saturated", samples },
    opponent: { name: "idle", samples: opponent },
    isCost: true,
    ...(target === undefined ? {} : { target }),
  });
  report.figures.push(
    figure("query while bulk saturates, p50", busy.p50, idle.p50),
    figure("query while bulk saturates, p95", busy.p95, idle.p95, 3),
  );
  report.details.push(
    `${options.queries} queries a round; bulk meanwhile: ${bulkRates.map((rate) => Math.round(rate)).join(", ")} tokens/s`,
  );
}

async function queryTimes(embedder: EmbedderProcess, queries: number): Promise<readonly number[]> {
  const target = targetOf(embedder, "interactive");
  const times: number[] = [];
  for (let index = 0; index < queries; index += 1) {
    const startedMs = performance.now();
    await embedOnce(target, `${QUERY} ${index}`);
    times.push(performance.now() - startedMs);
    await sleep(QUERY_PAUSE_MS);
  }
  return times;
}

/** Bulk clients that begin the texts anew until they are told to end. `end` gives the tokens a second of what they finished. */
function saturate(embedder: EmbedderProcess, texts: TextSet): { end(): Promise<number> } {
  const controller = new AbortController();
  const bulk = targetOf(embedder, "bulk");
  const startedMs = performance.now();
  const before = readSeries(embedder.url, ["te_batch_next_tokens_sum"]);
  const running = (async () => {
    while (!controller.signal.aborted) await embedAll(bulk, texts.texts, plan, controller.signal);
  })();
  return {
    async end() {
      const seconds = (performance.now() - startedMs) / 1000;
      const after = await readSeries(embedder.url, ["te_batch_next_tokens_sum"]);
      controller.abort();
      await running;
      return ((after[0] ?? 0) - ((await before)[0] ?? 0)) / seconds;
    },
  };
}
