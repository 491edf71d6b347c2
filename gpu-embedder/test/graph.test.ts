import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import type { InferenceSession } from "../src/engine/inference-session.ts";
import { BUILDER_VERSION, buildGraph } from "../src/graph/build-graph.ts";
import { PRECISIONS } from "../src/graph/graph-context.ts";
import { buildGraphOf, ensureGraph } from "../src/graph/graph-cache.ts";
import { readModelConfig, type ModelConfig } from "../src/graph/model-config.ts";
import { observeRanges } from "../src/graph/observe-ranges.ts";
import { quantizeColumns, stepOf } from "../src/graph/quantize.ts";
import { readSafetensors } from "../src/graph/safetensors.ts";
import { readBertWeights, type BertWeights } from "../src/graph/weights.ts";
import type { ActivationRange, ActivationRanges } from "../src/graph/activation-ranges.ts";
import type { LoadedModel } from "../src/model/loaded-model.ts";
import { rangesKeyOf, readRanges } from "../src/model/ranges-file.ts";
import { readGolden } from "./golden/golden-file.ts";
import { cosine, referenceEmbedding } from "./reference-encoder.ts";
import { realModel, SAMPLE_TEXTS } from "./test-model.ts";
import { TINY, seededRandom, tinySafetensors, writeTinyModel } from "./tiny-model.ts";
import { modelFolderOf } from "../src/model/model-location.ts";

/** Sums of attention and pooling over padding are taken in another order, which now and then moves an activation to the next of its 256 levels. */
const PADDING_DISTANCE_MAX = 1e-4;

const folders: string[] = [];
const sessions: InferenceSession[] = [];

function tinyFolder(seed: number, pooling: "mean" | "cls" = "mean"): string {
  const folder = writeTinyModel(seed, pooling);
  folders.push(folder);
  return folder;
}

function read(folder: string): { config: ModelConfig; weights: BertWeights } {
  const config = readModelConfig(folder);
  if (!config.ok) throw new Error(config.error.detail);
  const tensors = readSafetensors(join(folder, "model.safetensors"));
  if (!tensors.ok) throw new Error(tensors.error.detail);
  const weights = readBertWeights(tensors.value, config.value);
  if (!weights.ok) throw new Error(weights.error.detail);
  return { config: config.value, weights: weights.value };
}

async function sessionOf(graph: Parameters<typeof startBareSession>[0]): Promise<InferenceSession> {
  const session = await startBareSession(graph);
  sessions.push(session);
  return session;
}

async function embed(session: InferenceSession, texts: readonly Int32Array[]): Promise<readonly Float32Array[]> {
  const { embeddings } = await session.run(bareBatch(texts));
  const size = embeddings.length / texts.length;
  return texts.map((_, row) => embeddings.slice(row * size, (row + 1) * size));
}

function randomTexts(seed: number, count: number): readonly Int32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    Int32Array.from({ length: 1 + Math.floor(random() * TINY.positions) }, () =>
      Math.floor(random() * TINY.vocabulary),
    ),
  );
}

function sameRanges(layerCount: number, range: ActivationRange): ActivationRanges {
  const layer = { queryKeyValue: range, attentionOutput: range, intermediate: range, output: range };
  return Array.from({ length: layerCount }, () => layer);
}

afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

describe("the graph builder", () => {
  test.each(PRECISIONS)("gives the same bytes for the same weights in %s", (precision) => {
    const build = (seed: number): Uint8Array => {
      const { config, weights } = read(tinyFolder(seed));
      return buildGraph(config, weights, { precision });
    };
    expect(Buffer.compare(build(1), build(1))).toBe(0);
    expect(Buffer.compare(build(1), build(2))).not.toBe(0);
  });

  test("refuses a tensor of another shape than the configuration says", () => {
    const folder = tinyFolder(3);
    const config = readModelConfig(folder);
    if (!config.ok) throw new Error(config.error.detail);
    const outcome = buildGraphOf(folder, { ...config.value, intermediateSize: 65 }, { precision: "fp32" });
    expect(outcome).toMatchObject({ ok: false, error: { code: "weights_malformed" } });
  });

  test("refuses a weights file that is cut at any of its parts", () => {
    const whole = tinySafetensors(4);
    const path = join(tinyFolder(4), "model.safetensors");
    const config = readModelConfig(join(path, ".."));
    if (!config.ok) throw new Error(config.error.detail);
    for (const length of [0, 7, 8, 200, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(buildGraphOf(join(path, ".."), config.value, { precision: "fp32" })).toMatchObject({
        ok: false,
        error: { code: "weights_malformed" },
      });
    }
  });

  test("builds once, keeps the file, and builds again when it was damaged", async () => {
    const folder = tinyFolder(5);
    const { config } = read(folder);
    const request = {
      modelFolder: folder,
      cacheFolder: mkdtempSync(join(tmpdir(), "graph-cache-")),
      config,
      weightsSha256: "ab".repeat(32),
      precision: "int8" as const,
      ranges: undefined,
    };
    folders.push(request.cacheFolder);
    const first = await ensureGraph(request);
    expect(first).toMatchObject({ ok: true, value: { built: true } });
    expect(first.ok && first.value.path).toContain(`graph-v${BUILDER_VERSION}-int8-`);
    expect(await ensureGraph(request)).toMatchObject({ ok: true, value: { built: false } });
    if (first.ok) writeFileSync(first.value.path, "damaged");
    expect(await ensureGraph(request)).toMatchObject({ ok: true, value: { built: true } });
    expect(await ensureGraph(request)).toMatchObject({ ok: true, value: { built: false } });
  });

  test("keeps a graph with activation ranges beside the one without, and beside one of other ranges", async () => {
    const folder = tinyFolder(9);
    const { config } = read(folder);
    const rest = { modelFolder: folder, cacheFolder: folder, config, weightsSha256: "ab".repeat(32) };
    const paths = new Set<string>();
    for (const greatest of [undefined, 1, 2]) {
      const values = greatest === undefined ? undefined : sameRanges(config.layerCount, [-1, greatest]);
      const ranges = values === undefined ? undefined : { key: rangesKeyOf(values), values };
      const graph = await ensureGraph({ ...rest, precision: "int8", ranges });
      if (graph.ok) paths.add(graph.value.path);
    }
    expect(paths.size).toBe(3);
  });

  test("takes the step and the level of 0 so that the range and 0 itself can be told", () => {
    const bound = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => value / 1_000);
    fc.assert(
      fc.property(bound, bound, (a, b) => {
        const range = [Math.min(a, b), Math.max(a, b)] as const;
        const { step, zero } = stepOf(range);
        expect(step).toBeGreaterThan(0);
        expect(Number.isInteger(zero) && zero >= 0 && zero <= 255).toBe(true);
        for (const value of [...range, 0]) {
          const level = Math.min(255, Math.max(0, Math.round(value / step) + zero));
          expect(Math.abs((level - zero) * step - value)).toBeLessThanOrEqual(step * 1.01);
        }
      }),
    );
  });

  test("quantizes each column within half a step of its own scale", () => {
    const random = seededRandom(6);
    const matrix = Float32Array.from({ length: 60 }, () => (random() - 0.5) * 10);
    const { values, scales } = quantizeColumns(matrix, 5, 64);
    matrix.forEach((value, index) => {
      const scale = scales[index % 5] ?? 0;
      expect(Math.abs((values[index] ?? 0) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
      expect(Math.abs(values[index] ?? 0)).toBeLessThanOrEqual(64);
    });
    expect(quantizeColumns(new Float32Array(4), 2, 64).values).toEqual(new Int8Array(4));
  });
});

describe.each(["mean", "cls"] as const)("a graph with %s pooling", (pooling) => {
  test("gives the vectors of a plain forward pass, for every length and in any batch", async () => {
    const folder = tinyFolder(7, pooling);
    const { config, weights } = read(folder);
    const path = join(folder, "graph.onnx");
    writeFileSync(path, buildGraph(config, weights, { precision: "fp32" }));
    const session = await sessionOf({ graphPath: path, config });
    const texts = randomTexts(8, 24);
    const batch = await embed(session, texts);
    for (const [index, text] of texts.entries()) {
      const expected = referenceEmbedding([...text], config, weights);
      batch[index]?.forEach((value, dimension) => expect(value).toBeCloseTo(expected[dimension] ?? Number.NaN, 4));
    }
  });
});

describe("the real model", () => {
  let model: LoadedModel;
  let session: InferenceSession;
  let texts: readonly Int32Array[];
  beforeAll(async () => {
    model = await realModel("fp32");
    session = await sessionOf(model);
    texts = await Promise.all(SAMPLE_TEXTS.map((text) => model.tokenizer.encode(text)));
  });

  test("in fp32 equals a plain forward pass over the official weights", async () => {
    const { config, weights } = read(modelFolderOf(process.env));
    const vectors = await embed(session, texts);
    texts.forEach((text, index) => {
      expect(cosine(vectors[index] ?? [], referenceEmbedding([...text], config, weights))).toBeGreaterThan(0.99999);
    });
  });

  test("in fp32 gives a text the same vector alone and in a batch", async () => {
    const together = await embed(session, texts);
    for (const [index, text] of texts.entries()) {
      const [alone] = await embed(session, [text]);
      alone?.forEach((value, dimension) =>
        expect(Math.abs(value - (together[index]?.[dimension] ?? Number.NaN))).toBeLessThan(1e-5),
      );
    }
  });

  test("in fp16, as it runs on CUDA, is its fp32 self but for rounding", async () => {
    const fp16 = await sessionOf(await realModel("fp16"));
    const full = await embed(session, texts);
    const half = await embed(fp16, texts);
    full.forEach((vector, index) => expect(cosine(vector, half[index] ?? [])).toBeGreaterThan(0.9999));
  });

  test("in int8 gives a text the same vector: to the bit among texts of its length, but for rounding beside longer ones", async () => {
    const int8 = await sessionOf(await realModel("int8"));
    const padded = await embed(int8, texts);
    for (const [index, text] of texts.entries()) {
      const [alone = new Float32Array(0)] = await embed(int8, [text]);
      const other = text.toReversed();
      expect((await embed(int8, [other, text, other]))[1]).toEqual(alone);
      expect(1 - cosine(alone, padded[index] ?? [])).toBeLessThan(PADDING_DISTANCE_MAX);
    }
  });

  test("in int8 without known ranges stays near its fp32 vectors too", async () => {
    const { config, weights } = read(modelFolderOf(process.env));
    const path = join(tinyFolder(10), "dynamic.onnx");
    writeFileSync(path, buildGraph(config, weights, { precision: "int8" }));
    const small = await embed(await sessionOf({ graphPath: path, config }), texts);
    const full = await embed(session, texts);
    full.forEach((vector, index) => expect(cosine(vector, small[index] ?? [])).toBeGreaterThan(0.95));
  });

  test("activations of the golden texts lie within the ranges that are known for it", async () => {
    const { config, weights } = read(modelFolderOf(process.env));
    const owner = { folder: modelFolderOf(process.env), weightsSha256: model.weightsSha256 };
    const known = readRanges({ ...owner, layerCount: config.layerCount });
    if (!known.ok || known.value === undefined) throw new Error("no ranges are known");
    const golden = readGolden("all-minilm-l6-v2").cases.map(({ tokens }) => Int32Array.from(tokens));
    const graph = buildGraph(config, weights, { precision: "fp32", observed: true });
    const observed = await observeRanges(graph, config.layerCount, golden);
    expect(observed).toHaveLength(known.value.length);
    observed.forEach((layer, index) => {
      for (const [product, [least, greatest]] of Object.entries(layer)) {
        const [low, high] = Object.entries(known.value?.[index] ?? {}).find(([name]) => name === product)?.[1] ?? [
          0, 0,
        ];
        expect([least >= low - 0.01, greatest <= high + 0.01], `${index}.${product}`).toEqual([true, true]);
      }
    });
  });

  test("in int8 stays near its fp32 vectors", async () => {
    const int8 = await sessionOf(await realModel("int8"));
    const full = await embed(session, texts);
    const small = await embed(int8, texts);
    full.forEach((vector, index) => expect(cosine(vector, small[index] ?? [])).toBeGreaterThan(0.95));
  });
});
