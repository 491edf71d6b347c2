/**
 * Ten times what the server can do, for a minute: every request must have a reply, 200 or 429 with Retry-After, and afterwards the server
 * must be as it was within thirty seconds. Prints counts and times; exits with 1 when one of this fails.
 *
 * `node bench/overload.ts FILES_OR_FOLDERS… [--seconds 60] [--factor 10] [--report FILE]`
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { BenchReport } from "../../bench/support/figure.ts";
import { printReport } from "../../bench/support/print-figures.ts";
import { percentile } from "../../bench/support/statistics.ts";
import { benchModel } from "./support/bench-model.ts";
import { startEmbedder } from "./support/embedder-process.ts";
import { describeMachine, loadNow } from "./support/machine.ts";
import { measureCapacity, runOpenLoop, tryEmbed, type Outcome } from "./support/open-loop.ts";
import { readSeries } from "./support/prometheus.ts";
import { readTexts } from "./support/text-files.ts";
import { cutTextSet } from "./support/text-sets.ts";

const REQUEST_TEXTS = 16;
const TOKENS = 60_000;
const CALIBRATION = { clients: 8, seconds: 8 } as const;
/** Connections that this machine lets one process have open; the server itself admits 512 requests. */
const IN_FLIGHT_MAX = 900;
const SECONDS_MAX = 600;
const BASELINE_QUERIES = 100;
const QUERY_PAUSE_MS = 50;
/** Back to normal: so many queries in a row within twice the p95 of before, and nothing waiting. */
const NORMAL_QUERIES = 20;
const NORMAL_FACTOR = 2;
const RECOVERY_SECONDS_MAX = 30;
const RECOVERY_GIVE_UP_MS = 120_000;

const { positionals: paths, values } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    factor: { type: "string", default: "10" },
    report: { type: "string" },
  },
});
if (paths.length === 0) throw new Error("usage: node bench/overload.ts FILES_OR_FOLDERS…");
const seconds = Math.min(SECONDS_MAX, Number(values.seconds));

const folder = mkdtempSync(join(tmpdir(), "embedder-overload-"));
const { tokenizer, modelId } = await benchModel("int8");
const set = await cutTextSet("mixed", readTexts(paths), { tokenizer, tokensMin: TOKENS, folder });
const server = await startEmbedder();
console.log(`${describeMachine(process.env)}; load ${loadNow()}`);
try {
  await measure();
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

function send(lane: "bulk" | "interactive", input: string | readonly string[]): Promise<Outcome> {
  const target = { url: `${server.url}/v1/embeddings`, modelName: modelId, headers: { "x-embed-lane": lane } };
  return tryEmbed(target, input);
}

function sendBulk(index: number): Promise<Outcome> {
  const start = (index * REQUEST_TEXTS) % (set.texts.length - REQUEST_TEXTS);
  return send("bulk", set.texts.slice(start, start + REQUEST_TEXTS));
}

async function measure(): Promise<void> {
  const capacity = await measureCapacity({ ...CALIBRATION, send: async (index) => void (await sendBulk(index)) });
  const calm = await baselineP95();
  console.log(`capacity ${capacity.toFixed(1)} requests/s of ${REQUEST_TEXTS} texts; query p95 ${calm.toFixed(1)} ms`);
  const outcomes: Outcome[] = [];
  const queries: Outcome[] = [];
  const watch = new AbortController();
  const watching = watchQueries(queries, watch.signal);
  const { sent, leftOut, lastSentMs } = await runOpenLoop({
    ratePerSecond: capacity * Number(values.factor),
    seconds,
    inFlightMax: IN_FLIGHT_MAX,
    send: async (index) => void outcomes.push(await sendBulk(index)),
  });
  watch.abort();
  await watching;
  const recoverySeconds = await secondsUntilNormal(calm * NORMAL_FACTOR, lastSentMs);
  finish({ outcomes, queries, sent, leftOut, recoverySeconds, calm });
}

async function baselineP95(): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < BASELINE_QUERIES; index += 1) {
    times.push((await send("interactive", `what is text ${index} about`)).durationMs);
    await sleep(QUERY_PAUSE_MS);
  }
  return percentile(times, 0.95);
}

/** A query every now and then: the lane of people who wait, while bulk is refused. */
async function watchQueries(queries: Outcome[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    queries.push(await send("interactive", `what is text ${queries.length} about`));
    await sleep(QUERY_PAUSE_MS * 2);
  }
}

/** Seconds since the last request of the overload was sent; Infinity when it never was normal again. */
async function secondsUntilNormal(limitMs: number, lastSentMs: number): Promise<number> {
  let inRow = 0;
  while (performance.now() - lastSentMs < RECOVERY_GIVE_UP_MS) {
    const { status, durationMs } = await send("interactive", "is it calm again");
    const [waiting] = await readSeries(server.url, ["te_queue_size"]);
    inRow = status === 200 && durationMs <= limitMs && waiting === 0 ? inRow + 1 : 0;
    if (inRow === NORMAL_QUERIES) return (performance.now() - lastSentMs) / 1000;
    await sleep(QUERY_PAUSE_MS);
  }
  return Infinity;
}

interface Measured {
  readonly outcomes: readonly Outcome[];
  readonly queries: readonly Outcome[];
  readonly sent: number;
  readonly leftOut: number;
  readonly recoverySeconds: number;
  readonly calm: number;
}

function finish({ outcomes, queries, sent, leftOut, recoverySeconds, calm }: Measured): void {
  const countOf = (list: readonly Outcome[], status: Outcome["status"]): number =>
    list.filter((outcome) => outcome.status === status).length;
  const refused = outcomes.filter(({ status }) => status === 429);
  const withRetryAfter = refused.filter(({ retryAfter }) => Number(retryAfter) >= 1).length;
  const [good, lost] = [countOf(outcomes, 200), countOf(outcomes, "lost")];
  const other = outcomes.length - good - refused.length - lost;
  const times = queries.filter(({ status }) => status === 200).map(({ durationMs }) => durationMs);
  const refusedMs =
    refused.length === 0
      ? 0
      : percentile(
          refused.map(({ durationMs }) => durationMs),
          0.95,
        );
  const single = (name: string, unit: string, value: number, target: number): BenchReport["figures"][number] => ({
    name,
    unit,
    ours: { name: "gpu-embedder", samples: [value] },
    target,
    isCost: true,
  });
  const report: BenchReport = {
    bench: "embedder-overload",
    figures: [
      single("replies lost under overload", "requests", lost + countOf(queries, "lost"), 0),
      single("replies other than 200 and 429", "requests", other, 0),
      single("429 without Retry-After", "requests", refused.length - withRetryAfter, 0),
      single("back to normal after overload", "s", recoverySeconds, RECOVERY_SECONDS_MAX),
    ],
    skipped: [],
    details: [
      `${values.factor} times capacity for ${seconds} s: ${sent} requests sent, ${good} × 200, ${refused.length} × 429 (p95 ${refusedMs.toFixed(0)} ms), ${leftOut} left out by the client at ${IN_FLIGHT_MAX} under way`,
      `queries meanwhile: ${queries.length}, ${countOf(queries, 429)} × 429, p95 ${times.length === 0 ? "–" : percentile(times, 0.95).toFixed(1)} ms (before ${calm.toFixed(1)} ms)`,
    ],
  };
  printReport(report);
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report));
  const isGood =
    lost === 0 && other === 0 && withRetryAfter === refused.length && recoverySeconds < RECOVERY_SECONDS_MAX;
  process.exitCode = isGood ? 0 : 1;
}
