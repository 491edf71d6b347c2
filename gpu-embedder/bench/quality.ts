/**
 * What a provider's small arithmetic (int8 on the CPU, fp16 on CUDA) costs in quality, and what a batch does to a vector: Spearman correlation
 * of cosine similarity with human scores for fp32 on the CPU and it beside each other, and the largest change of a vector between alone and in a
 * batch.
 *
 * `node bench/quality.ts PAIRS.tsv [--provider cpu|cuda] [--report FILE]` with lines `score <tab> sentence <tab> sentence`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { z } from "zod";
import type { BenchReport } from "../../bench/support/figure.ts";
import { printReport } from "../../bench/support/print-figures.ts";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import type { InferenceSession } from "../src/engine/inference-session.ts";
import { PROVIDER_TUNING, type Provider } from "../src/engine/provider.ts";
import type { Precision } from "../src/graph/graph-context.ts";
import { benchModel } from "./support/bench-model.ts";
import { cosineDistance, spearman } from "./support/correlation.ts";

const BATCH_TEXTS = 32;
/** Texts whose vectors are computed alone as well. */
const SINGLE_TEXTS = 256;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { provider: { type: "string", default: "cpu" }, report: { type: "string" } },
});
const provider = z.enum(["cpu", "cuda"]).parse(values.provider);
const { precision } = PROVIDER_TUNING[provider];
const path = positionals[0];
if (path === undefined) throw new Error("usage: node bench/quality.ts PAIRS.tsv");
const rows = readFileSync(path, "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split("\t"));
const scores = rows.map((row) => Number(row[0]));
const texts = rows.flatMap((row) => [row[1] ?? "", row[2] ?? ""]);

interface Vectors {
  readonly batched: readonly Float32Array[];
  /** Of the first texts, each computed alone. */
  readonly alone: readonly Float32Array[];
}

const fp32 = await vectorsOf("fp32", "cpu");
const low = await vectorsOf(precision, provider);
const [full, small] = [correlationOf(fp32), correlationOf(low)];
const fp32Change = changeOf(fp32);
const lowChange = changeOf(low);
const distances = fp32.batched.map((vector, index) => cosineDistance(vector, low.batched[index] ?? vector));
const report: BenchReport = {
  bench: "embedder-quality",
  figures: [
    {
      name: `Spearman on ${rows.length} pairs`,
      unit: "correlation × 1000",
      ours: { name: precision, samples: [small * 1000] },
      opponent: { name: "fp32", samples: [full * 1000] },
      target: 0.995,
    },
  ],
  skipped: [],
  details: [
    `Spearman fp32 ${full.toFixed(5)}, ${precision} ${small.toFixed(5)}, ratio ${(small / full).toFixed(5)}`,
    `${precision} beside fp32: cosine distance ${meanOf(distances).toFixed(5)} on average, at most ${Math.max(...distances).toFixed(5)}`,
    `alone against in a batch of ${BATCH_TEXTS}, ${SINGLE_TEXTS} texts, largest change of a component: fp32 ${fp32Change.component.toExponential(1)} (at most 1e-5 ${fp32Change.component <= 1e-5 ? "met" : "MISSED"}), ${precision} ${lowChange.component.toExponential(1)}`,
    `the same as cosine distance, average and largest: fp32 ${fp32Change.meanDistance.toExponential(1)}, ${fp32Change.distance.toExponential(1)}; ${precision} ${lowChange.meanDistance.toExponential(1)}, ${lowChange.distance.toExponential(1)}`,
  ],
};
printReport(report);
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report));

async function vectorsOf(arithmetic: Precision, on: Provider): Promise<Vectors> {
  const model = await benchModel(arithmetic);
  const session = await startBareSession(model, { provider: on, threadCount: availableParallelism() });
  const tokens: Int32Array[] = [];
  for (const text of texts) tokens.push((await model.tokenizer.encode(text)).subarray(0, model.config.inputTokensMax));
  const order = tokens.map((_, index) => index).sort((a, b) => (tokens[a]?.length ?? 0) - (tokens[b]?.length ?? 0));
  const batched = await run(session, tokens, order, BATCH_TEXTS);
  const alone = await run(session, tokens, order.toSorted((a, b) => a - b).slice(0, SINGLE_TEXTS), 1);
  await session.close();
  return { batched, alone };
}

async function run(
  session: InferenceSession,
  tokens: readonly Int32Array[],
  order: readonly number[],
  batchTexts: number,
): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < order.length; start += batchTexts) {
    const indexes = order.slice(start, start + batchTexts);
    const { embeddings } = await session.run(bareBatch(indexes.flatMap((index) => tokens[index] ?? [])));
    const size = embeddings.length / indexes.length;
    indexes.forEach((index, row) => {
      vectors[index] = embeddings.slice(row * size, (row + 1) * size);
    });
  }
  return vectors;
}

function correlationOf({ batched }: Vectors): number {
  const none = new Float32Array(0);
  const similarities = rows.map(
    (_, index) => 1 - cosineDistance(batched[2 * index] ?? none, batched[2 * index + 1] ?? none),
  );
  return spearman(similarities, scores);
}

function changeOf({ batched, alone }: Vectors): { component: number; distance: number; meanDistance: number } {
  const changes = alone.map((vector, index) => {
    const other = batched[index] ?? vector;
    const component = vector.reduce((most, value, at) => Math.max(most, Math.abs(value - (other[at] ?? 0))), 0);
    return { component, distance: cosineDistance(vector, other) };
  });
  return {
    component: Math.max(...changes.map(({ component }) => component)),
    distance: Math.max(...changes.map(({ distance }) => distance)),
    meanDistance: meanOf(changes.map(({ distance }) => distance)),
  };
}

function meanOf(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}
