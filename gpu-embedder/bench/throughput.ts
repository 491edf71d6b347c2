/**
 * What the server costs beside its model: tokens a second of the bare sessions and of the server over HTTP on the same texts, in turn;
 * padding of the batches it forms; and the time of a single query on an idle server and while bulk clients saturate it, in turn.
 *
 * `node bench/throughput.ts FILES_OR_FOLDERS… [--provider cpu|cuda] [--precision int8] [--set mixed|short|long] [--tokens 60000] [--rounds 5]
 * [--clients 4] [--request 32] [--client-threads 0] [--servers 1] [--queries 100] [--report FILE]`
 *
 * `--clients 1,4,16` measures each number; queries are timed against the last one. `--client-threads` lets clients run beside this thread, which
 * else is the bottleneck of a fast server. `--servers` starts several on the one device and sends each its share.
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
import { PROVIDER_TUNING } from "../src/engine/provider.ts";
import { PRECISIONS } from "../src/graph/graph-context.ts";
import { bareSeconds, batchesOf, tokenLists } from "./support/bare-batches.ts";
import { benchModel } from "./support/bench-model.ts";
import { startClients } from "./support/client-pool.ts";
import { count, counts } from "./support/count-options.ts";
import { deviceState } from "./support/device-state.ts";
import { embedOnce, type ClientPlan, type EmbedTarget } from "./support/embed-client.ts";
import { startEmbedder, type EmbedderProcess } from "./support/embedder-process.ts";
import { describeMachine, loadNow } from "./support/machine.ts";
import { mainThreadSeconds } from "./support/process-sample.ts";
import { readSeries } from "./support/prometheus.ts";
import { readTexts } from "./support/text-files.ts";
import { cutTextSet, SET_NAMES, type TextSet } from "./support/text-sets.ts";

const optionsSchema = z.object({
  provider: z.enum(["cpu", "cuda"]).default("cpu"),
  precision: z.enum(PRECISIONS).optional(),
  set: z.enum(SET_NAMES).default("mixed"),
  tokens: count(60_000),
  rounds: count(5),
  clients: counts("4"),
  request: count(32),
  "client-threads": z.coerce.number().int().min(0).max(64).default(0),
  servers: count(1),
  queries: count(100),
  report: z.string().optional(),
});
const text = { type: "string" } as const;
const { positionals: paths, values } = parseArgs({
  allowPositionals: true,
  options: {
    provider: text,
    precision: text,
    set: text,
    tokens: text,
    rounds: text,
    clients: text,
    request: text,
    "client-threads": text,
    servers: text,
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

const { provider } = options;
const tuning = PROVIDER_TUNING[provider];
const precision = options.precision ?? tuning.precision;
const plans = options.clients.map((connections): ClientPlan => ({ connections, requestTexts: options.request }));
const report: BenchReport = { bench: "embedder-throughput", figures: [], skipped: [], details: [] };
const folder = mkdtempSync(join(tmpdir(), "embedder-throughput-"));
console.log(`${describeMachine(process.env)}; load ${loadNow()}; ${provider}, ${precision}`);
const model = await benchModel(precision);
const set = await cutTextSet(options.set, readTexts(paths), {
  tokenizer: model.tokenizer,
  tokensMin: options.tokens,
  folder,
});
const clients = startClients(options["client-threads"]);
const settings = { EMBED_PROVIDER: provider, EMBED_PRECISION: precision };
const servers: EmbedderProcess[] = [];
try {
  for (let index = 0; index < options.servers; index += 1) servers.push(await startEmbedder(settings));
  await measureOverhead(set);
  await measureQueries(set);
} finally {
  await clients.close();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}
printReport(report);
if (options.report !== undefined) writeFileSync(options.report, JSON.stringify(report));

function targetsOf(lane: "interactive" | "bulk"): readonly EmbedTarget[] {
  return servers.map(({ url }) => ({
    url: `${url}/v1/embeddings`,
    modelName: model.modelId,
    headers: { "x-embed-lane": lane },
  }));
}

/** Sums of the servers' counters. */
async function countersOf(names: readonly string[]): Promise<readonly number[]> {
  const each = await Promise.all(servers.map(({ url }) => readSeries(url, names)));
  return names.map((_, index) => each.reduce((sum, counters) => sum + (counters[index] ?? 0), 0));
}

function mainThreadsSeconds(): number {
  return servers.reduce((sum, { pid }) => sum + mainThreadSeconds(pid), 0);
}

/** Bare sessions in this process, as many as the server has for bulk, and the server in its own; then the server with each number of clients. */
async function measureOverhead(texts: TextSet): Promise<void> {
  const batches = batchesOf(await tokenLists(texts.texts, model.tokenizer), tuning);
  const sessionCount = provider === "cuda" ? 1 : availableParallelism();
  const sessions = await Promise.all(Array.from({ length: sessionCount }, () => startBareSession(model, { provider })));
  const bareRun = (): Promise<number> => bareSeconds(sessions, batches, tuning.sequenceMultiple);
  await bareRun();
  for (const plan of plans) await measurePlan(texts, plan, bareRun);
  await Promise.all(sessions.map((session) => session.close()));
  report.details.push(`${texts.texts.length} texts, ${texts.tokenCount} tokens, ${options.request} texts a request`);
}

async function measurePlan(texts: TextSet, plan: ClientPlan, bareRun: () => Promise<number>): Promise<void> {
  const bare: number[] = [];
  const http: number[] = [];
  const bulk = targetsOf("bulk");
  await clients.run(bulk, texts, plan);
  const names = ["te_batch_next_tokens_sum", "te_batch_padding_tokens"] as const;
  const before = await countersOf(names);
  let [mainSeconds, httpSeconds] = [0, 0];
  for (let round = 0; round < options.rounds; round += 1) {
    const load = loadNow();
    bare.push(texts.tokenCount / (await bareRun()));
    const mainBefore = mainThreadsSeconds();
    const { seconds } = await clients.run(bulk, texts, plan);
    mainSeconds += mainThreadsSeconds() - mainBefore;
    httpSeconds += seconds;
    http.push(texts.tokenCount / seconds);
    console.log(
      `${plan.connections} clients, round ${round + 1}: bare ${bare.at(-1)?.toFixed(0)}, HTTP ${http.at(-1)?.toFixed(0)} (load ${load})`,
    );
  }
  const after = await countersOf(names);
  const [tokens = 0, padding = 0] = after.map((value, index) => value - (before[index] ?? 0));
  const label = `${texts.name} texts, ${precision}, ${plan.connections} clients`;
  report.figures.push(
    {
      name: `server against bare sessions, ${label}`,
      unit: "tokens/s",
      ours: { name: "HTTP", samples: http },
      opponent: { name: "bare", samples: bare },
      ...(provider === "cpu" ? { target: 0.92 } : {}),
    },
    {
      name: `padding efficiency, ${label}`,
      unit: "share of tokens",
      ours: { name: "HTTP", samples: [tokens / (tokens + padding)] },
      ...(provider === "cpu" ? { target: 0.95 } : {}),
    },
  );
  const state = await deviceState();
  report.details.push(
    `${plan.connections} clients: ${padding} of ${tokens + padding} tokens computed are padding, by the servers' counters`,
    `${plan.connections} clients: the server's JavaScript thread busy ${((100 * mainSeconds) / httpSeconds / servers.length).toFixed(0)} % of the time`,
    ...(provider === "cuda" && state !== undefined ? [`${state.name}: ${state.memoryMib} MiB in use`] : []),
  );
}

/** p50 and p95 of single queries, idle and saturated in turn; the ratio of p95 is that of neighbouring rounds. */
async function measureQueries(texts: TextSet): Promise<void> {
  const idle = { p50: [] as number[], p95: [] as number[] };
  const busy = { p50: [] as number[], p95: [] as number[] };
  const bulkRates: number[] = [];
  await queryTimes(WARM_UP_QUERIES);
  for (let round = 0; round < options.rounds; round += 1) {
    const calm = await queryTimes(options.queries);
    const load = saturate(texts);
    await sleep(SATURATION_MS);
    const saturated = await queryTimes(options.queries);
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

async function queryTimes(queries: number): Promise<readonly number[]> {
  const [target] = targetsOf("interactive");
  if (target === undefined) return [];
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
function saturate(texts: TextSet): { end(): Promise<number> } {
  const controller = new AbortController();
  const bulk = targetsOf("bulk");
  const plan = plans.at(-1) ?? { connections: 1, requestTexts: options.request };
  const startedMs = performance.now();
  const before = countersOf(["te_batch_next_tokens_sum"]);
  const running = (async () => {
    while (!controller.signal.aborted) await clients.run(bulk, texts, plan, controller.signal);
  })();
  return {
    async end() {
      const seconds = (performance.now() - startedMs) / 1000;
      const after = await countersOf(["te_batch_next_tokens_sum"]);
      controller.abort();
      await running;
      return ((after[0] ?? 0) - ((await before)[0] ?? 0)) / seconds;
    },
  };
}
