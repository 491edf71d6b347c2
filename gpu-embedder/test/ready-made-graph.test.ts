import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import { poolTokens, unitVectors } from "../src/engine/graph-io.ts";
import type { ElementType } from "../src/graph/graph-writer.ts";
import { GraphWriter } from "../src/graph/graph-writer.ts";
import { realModel } from "./test-model.ts";
import { post, testServer } from "./test-server.ts";

const SIZE = 4;
const VOCABULARY = 50;
const TABLE = Float32Array.from({ length: VOCABULARY * SIZE }, (_, index) => Math.sin(index * 7.3));
const folder = mkdtempSync(join(tmpdir(), "ready-made-"));
afterAll(() => rm(folder, { recursive: true }));

/** An encoder as other exporters write one: a vector for each token, no pooling. It only looks words up. */
function lookupGraph(integers: ElementType, inputs: readonly string[], output = "last_hidden_state"): string {
  const graph = new GraphWriter();
  for (const name of inputs) graph.input(name, integers, ["batch", "sequence"]);
  const table = graph.constant("table", "float32", [VOCABULARY, SIZE], TABLE);
  graph.node("Gather", { inputs: [table, "input_ids"], outputs: [output] });
  graph.output(output, "float32", ["batch", "sequence", SIZE]);
  const path = join(folder, `${integers}-${inputs.join("-")}.onnx`);
  writeFileSync(path, graph.encode("1", []));
  return path;
}

function meanOf(ids: readonly number[]): readonly number[] {
  const sum = Array.from({ length: SIZE }, (_, index) =>
    ids.reduce((total, id) => total + (TABLE[id * SIZE + index] ?? 0), 0),
  );
  const norm = Math.hypot(...sum);
  return sum.map((value) => value / norm);
}

describe("a ready-made ONNX file", () => {
  test.each([
    ["int64", ["input_ids", "attention_mask", "token_type_ids"]],
    ["int32", ["input_ids", "attention_mask"]],
  ] as const)("of %s inputs %j is fed, pooled and normalised", async (integers, inputs) => {
    const session = await startBareSession({ graphPath: lookupGraph(integers, inputs), config: { pooling: "mean" } });
    const texts = [[3, 4, 5, 6], [7], [8, 9]];
    const { embeddings } = await session.run(bareBatch(texts.map((ids) => Int32Array.from(ids))));
    await session.close();
    texts.forEach((ids, row) => {
      meanOf(ids).forEach((value, index) => expect(embeddings[row * SIZE + index]).toBeCloseTo(value, 5));
    });
  });

  test("with an input that nobody can feed is refused when it is loaded", async () => {
    const graphPath = lookupGraph("int64", ["input_ids", "attention_mask", "pixel_values"]);
    await expect(startBareSession({ graphPath, config: { pooling: "mean" } })).rejects.toThrow(/failed/u);
  });

  test("is served with a fingerprint of its own, and its vectors are those of the file", async () => {
    const { graphPath } = await realModel("fp32");
    const cache = join(folder, "never-written");
    const ready = await testServer({ EMBED_ONNX_FILE: graphPath, EMBED_CACHE_DIR: cache });
    const own = await testServer({ EMBED_PRECISION: "fp32" });
    try {
      const body = { inputs: ["one text", "another, longer text"] };
      const [first, second] = await Promise.all(
        [ready, own].map(async ({ url }) => (await post(`${url}/embed`, body)).json()),
      );
      expect(first).toEqual(second);
      expect(ready.fingerprint).not.toBe(own.fingerprint);
      expect(existsSync(cache)).toBe(false);
    } finally {
      await Promise.all([ready.stop(), own.stop()]);
    }
  });
});

describe("pooling outside a graph", () => {
  test("takes the mean of the tokens that the mask keeps, or the first one", () => {
    const tokens = Float32Array.of(1, 2, 3, 4, 100, 100, 5, 6, 0, 0, 0, 0);
    const batch = { attentionMask: Int32Array.of(1, 1, 0, 1, 0, 0), batchSize: 2, sequenceLength: 3 };
    expect([...poolTokens(tokens, batch, "mean")]).toEqual([2, 3, 5, 6]);
    expect([...poolTokens(tokens, batch, "cls")]).toEqual([1, 2, 5, 6]);
  });

  test("a vector of zeros stays one", () => {
    expect([...unitVectors(Float32Array.of(3, 4, 0, 0), 2)]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0]);
  });
});
