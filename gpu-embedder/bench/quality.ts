import { parseArgs } from "node:util";
import { readFileSync } from "node:fs";
import { loadModel, plainRequest } from "../src/model/loaded-model.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";

/**
 * Spearman correlation of cosine similarity with human scores, fp32 and int8 beside each other.
 * `node bench/quality.ts PAIRS.tsv` with lines `score <tab> sentence <tab> sentence`.
 */
const { positionals } = parseArgs({ allowPositionals: true });
const path = positionals[0];
if (path === undefined) throw new Error("usage: node bench/quality.ts PAIRS.tsv");
const rows = readFileSync(path, "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split("\t"));
const scores = rows.map((row) => Number(row[0]));

function ranks(values: readonly number[]): readonly number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const result: number[] = [];
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let position = start; position < end; position++) result[order[position] ?? 0] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanA = meanOf(a);
  const meanB = meanOf(b);
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  a.forEach((value, index) => {
    const other = (b[index] ?? 0) - meanB;
    product += (value - meanA) * other;
    squareA += (value - meanA) ** 2;
    squareB += other ** 2;
  });
  return product / Math.sqrt(squareA * squareB);
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

async function vectorsOf(precision: "fp32" | "int8"): Promise<readonly Float32Array[]> {
  const model = await loadModel(
    plainRequest({
      folder: modelFolderOf(process.env),
      modelId: undefined,
      precision,
      environment: process.env,
    }),
  );
  if (!model.ok) throw new Error(model.error.detail);
  const session = await startBareSession(model.value, 2);
  const texts = await Promise.all(
    rows.flatMap((row) => [row[1] ?? "", row[2] ?? ""]).map((text) => model.value.tokenizer.encode(text)),
  );
  const order = texts.map((_, index) => index).sort((a, b) => (texts[a]?.length ?? 0) - (texts[b]?.length ?? 0));
  const vectors: Float32Array[] = [];
  const dimensions = model.value.config.hiddenSize;
  for (let start = 0; start < order.length; start += 32) {
    const indexes = order.slice(start, start + 32);
    const batch = bareBatch(indexes.flatMap((index) => texts[index] ?? []));
    const { embeddings } = await session.run(batch);
    indexes.forEach((index, row) => (vectors[index] = embeddings.slice(row * dimensions, (row + 1) * dimensions)));
  }
  await session.close();
  return vectors;
}

function spearman(vectors: readonly Float32Array[]): number {
  const none = new Float32Array(0);
  const similarities = rows.map((_, index) => cosine(vectors[2 * index] ?? none, vectors[2 * index + 1] ?? none));
  return pearson(ranks(similarities), ranks(scores));
}

const fp32 = await vectorsOf("fp32");
const int8 = await vectorsOf("int8");
const [full, small] = [spearman(fp32), spearman(int8)];
const nearness = fp32.map((vector, index) => cosine(vector, int8[index] ?? vector));
const mean = nearness.reduce((sum, value) => sum + value, 0) / nearness.length;
console.log(
  `pairs ${rows.length}: Spearman fp32 ${full.toFixed(5)}, int8 ${small.toFixed(5)} (${(small / full).toFixed(4)} of fp32)`,
);
console.log(`cosine of int8 to fp32 vectors: mean ${mean.toFixed(5)}, least ${Math.min(...nearness).toFixed(5)}`);
