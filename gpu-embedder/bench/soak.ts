/**
 * A server under a steady share of its capacity for a long time: memory, file descriptors, handles and latency every ten seconds as JSON
 * lines, then the trend of the second half. Exits with 1 when something rises, a reply is lost or a status is unexpected.
 *
 * `node bench/soak.ts FILES_OR_FOLDERS… [--provider cpu|cuda] [--minutes 30] [--load 0.8] [--out FILE.jsonl]`, Linux only.
 *
 * Load: bulk requests of 16 mixed texts and one single query for each, open loop, so that a slow server is not spared.
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { percentile } from "../../bench/support/statistics.ts";
import { benchModel } from "./support/bench-model.ts";
import { deviceState } from "./support/device-state.ts";
import { startEmbedder } from "./support/embedder-process.ts";
import { describeMachine, loadNow } from "./support/machine.ts";
import { measureCapacity, runOpenLoop, tryEmbed, type Outcome } from "./support/open-loop.ts";
import { sampleProcess, type ProcessSample } from "./support/process-sample.ts";
import { readTexts } from "./support/text-files.ts";
import { cutTextSet } from "./support/text-sets.ts";
import { fitTrend, judgeTrend } from "./support/trend.ts";

const SAMPLE_INTERVAL_MS = 10_000;
const REQUEST_TEXTS = 16;
const SOAK_TOKENS = 60_000;
const WARM_UP_SECONDS = 5;
const CALIBRATION_SECONDS = 15;
const CALIBRATION_CLIENTS = 8;
const IN_FLIGHT_MAX = 400;
/** Idle connections are closed within five seconds on both sides. */
const QUIET_MS = 12_000;
const MINUTES_MAX = 24 * 60;

/** Rise in an hour that counts as flat. Memory: 5 % of what the process holds (about 600 MiB) and 10 MiB of its heap. */
const TOLERANCES = { residentMib: 30, heapMib: 10, fileDescriptors: 6, handles: 6, threads: 1 } as const;
const MEASURES = ["residentMib", "heapMib", "fileDescriptors", "handles", "threads"] as const;
/** File descriptors that a quiet server may have more than it had before the load. */
const QUIET_DESCRIPTORS_MAX = 4;

const memoryEvent = z.object({ event: z.literal("process_memory"), heapUsed: z.number(), handles: z.number() });

const { positionals: paths, values } = parseArgs({
  allowPositionals: true,
  options: {
    provider: { type: "string", default: "cpu" },
    minutes: { type: "string", default: "30" },
    load: { type: "string", default: "0.8" },
    out: { type: "string" },
  },
});
if (paths.length === 0) throw new Error("usage: node bench/soak.ts FILES_OR_FOLDERS… [--minutes N] [--load 0.8]");
const seconds = Math.min(MINUTES_MAX, Number(values.minutes)) * 60;
if (values.out !== undefined) writeFileSync(values.out, "");

type Sample = ProcessSample & { readonly atMs: number; readonly heapMib: number; readonly handles: number };

const folder = mkdtempSync(join(tmpdir(), "embedder-soak-"));
const { tokenizer, modelId } = await benchModel(values.provider === "cuda" ? "fp16" : "int8");
const set = await cutTextSet("mixed", readTexts(paths), { tokenizer, tokensMin: SOAK_TOKENS, folder });
const reporter = fileURLToPath(new URL("support/memory-reporter.mjs", import.meta.url));
const server = await startEmbedder({ EMBED_PROVIDER: values.provider }, ["--import", reporter]);
let inner = { heapMib: Number.NaN, handles: Number.NaN };
server.onLine((event) => {
  const parsed = memoryEvent.safeParse(event);
  if (parsed.success) inner = { heapMib: parsed.data.heapUsed / 2 ** 20, handles: parsed.data.handles };
});
let isGood = false;
try {
  isGood = await soak();
} finally {
  const code = await server.stop();
  say({ event: "stopped", code });
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = isGood && code === 0 ? 0 : 1;
}

function say(line: object): void {
  const text = JSON.stringify(line);
  console.log(text);
  if (values.out !== undefined) appendFileSync(values.out, `${text}\n`);
}

function target(lane: string): Parameters<typeof tryEmbed>[0] {
  return { url: `${server.url}/v1/embeddings`, modelName: modelId, headers: { "x-embed-lane": lane } };
}

/** One bulk request and, beside it, one query. */
function sendPair(index: number): Promise<readonly [Outcome, Outcome]> {
  const start = (index * REQUEST_TEXTS) % (set.texts.length - REQUEST_TEXTS);
  return Promise.all([
    tryEmbed(target("bulk"), set.texts.slice(start, start + REQUEST_TEXTS)),
    tryEmbed(target("interactive"), `which text speaks of number ${index}`),
  ]);
}

async function soak(): Promise<boolean> {
  await sleep(QUIET_MS);
  const before = sampleProcess(server.pid);
  const send = async (index: number): Promise<void> => void (await sendPair(index));
  await measureCapacity({ clients: CALIBRATION_CLIENTS, seconds: WARM_UP_SECONDS, send });
  const capacity = await measureCapacity({ clients: CALIBRATION_CLIENTS, seconds: CALIBRATION_SECONDS, send });
  const ratePerSecond = capacity * Number(values.load);
  say({ event: "calibrated", machine: describeMachine(process.env), capacity, ratePerSecond, minutes: seconds / 60 });
  const window = { bulk: [] as number[], query: [] as number[] };
  const statuses: Record<string, number> = {};
  const samples: Sample[] = [];
  const startedMs = performance.now();
  const timer = setInterval(async () => {
    const sample = { atMs: performance.now() - startedMs, ...sampleProcess(server.pid), ...inner };
    samples.push(sample);
    const device = values.provider === "cuda" ? { device: await deviceState() } : {};
    say({ event: "sample", ...rounded(sample), ...latency(window), load: loadNow(), statuses, ...device });
    window.bulk = [];
    window.query = [];
  }, SAMPLE_INTERVAL_MS);
  const { sent, leftOut } = await runOpenLoop({
    ratePerSecond,
    seconds,
    inFlightMax: IN_FLIGHT_MAX,
    async send(index) {
      const [bulk, query] = await sendPair(index);
      for (const { status } of [bulk, query]) statuses[status] = (statuses[status] ?? 0) + 1;
      window.bulk.push(bulk.durationMs);
      window.query.push(query.durationMs);
    },
  });
  clearInterval(timer);
  await sleep(QUIET_MS);
  const after = sampleProcess(server.pid);
  return summarize({ samples, statuses, sent, leftOut, before, after });
}

function rounded(sample: Sample): object {
  return Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, Math.round(value * 10) / 10]));
}

function latency({ bulk, query }: { readonly bulk: readonly number[]; readonly query: readonly number[] }): object {
  const pair = (times: readonly number[]): readonly number[] =>
    times.length === 0 ? [] : [0.5, 0.95].map((share) => Math.round(percentile(times, share)));
  return { bulkMs: pair(bulk), queryMs: pair(query), requests: bulk.length };
}

interface Outcomes {
  readonly samples: readonly Sample[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly leftOut: number;
  readonly before: ProcessSample;
  readonly after: ProcessSample;
}

function summarize({ samples, statuses, sent, leftOut, before, after }: Outcomes): boolean {
  const half = samples.slice(samples.length >> 1);
  const trends = MEASURES.map((measure) => {
    const points = half.map((sample) => ({ atMs: sample.atMs, value: sample[measure] }));
    if (points.length < 3) return { measure, verdict: "undecided" as const, tolerance: TOLERANCES[measure] };
    const trend = fitTrend(points);
    return { measure, verdict: judgeTrend(trend, TOLERANCES[measure]), tolerance: TOLERANCES[measure], ...trend };
  });
  const isQuiet = after.fileDescriptors - before.fileDescriptors <= QUIET_DESCRIPTORS_MAX;
  const isAnswered = Object.keys(statuses).every((status) => status === "200");
  const isFlat = trends.every(({ verdict }) => verdict !== "rising");
  say({ event: "summary", pairs: sent, leftOut, statuses, before, after, isQuiet, isAnswered, isFlat, trends });
  return isQuiet && isAnswered && isFlat && leftOut === 0;
}
