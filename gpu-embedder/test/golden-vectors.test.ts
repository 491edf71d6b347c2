import { cpSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { sha256OfFile } from "../src/base/atomic-file.ts";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import type { InferenceSession } from "../src/engine/inference-session.ts";
import { loadModel, plainRequest, type LoadedModel } from "../src/model/loaded-model.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import { readGolden } from "./golden/golden-file.ts";
import { cosine } from "./reference-encoder.ts";
import { realModel } from "./test-model.ts";
import { post, testServer } from "./test-server.ts";

/** Cosine distance that a vector in fp32 may have from sentence-transformers'. */
const FP32_DISTANCE_MAX = 1e-3;
const BATCH_TEXTS = 16;

const sessions: InferenceSession[] = [];
const folders: string[] = [];

afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

async function sessionOf(model: LoadedModel): Promise<InferenceSession> {
  const session = await startBareSession(model);
  sessions.push(session);
  return session;
}

/** Vectors of token lists, in batches whose members differ in length as little as the order of the file allows. */
async function embed(
  session: InferenceSession,
  tokens: readonly (readonly number[])[],
  dimensions: number,
): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < tokens.length; start += BATCH_TEXTS) {
    const texts = tokens.slice(start, start + BATCH_TEXTS).map((ids) => Int32Array.from(ids));
    const { embeddings } = await session.run(bareBatch(texts));
    texts.forEach((_, row) => vectors.push(embeddings.slice(row * dimensions, (row + 1) * dimensions)));
  }
  return vectors;
}

/** Token ids as the server cuts them: at the end, keeping the last special token. */
async function truncatedIds(model: LoadedModel, text: string): Promise<readonly number[]> {
  const ids = await model.tokenizer.encode(text);
  const limit = model.config.inputTokensMax;
  return ids.length <= limit ? [...ids] : [...ids.subarray(0, limit - 1), ...ids.subarray(ids.length - 1)];
}

function distances(vectors: readonly Float32Array[], expected: readonly Float32Array[]): readonly number[] {
  return expected.map((vector, index) => 1 - cosine(vector, vectors[index] ?? []));
}

describe("all-MiniLM-L6-v2 beside sentence-transformers", () => {
  const golden = readGolden("all-minilm-l6-v2");
  const tokens = golden.cases.map((item) => item.tokens);
  const expected = golden.cases.map((item) => item.vector);
  let model: LoadedModel;
  beforeAll(async () => {
    model = await realModel("fp32");
  });

  test("the files are those that the golden vectors were made with", async () => {
    for (const [name, sha256] of Object.entries(golden.provenance.sha256)) {
      expect(await sha256OfFile(join(modelFolderOf(process.env), name)), name).toBe(sha256);
    }
    expect(model.config).toMatchObject({
      hiddenSize: golden.dimensions,
      inputTokensMax: golden.input_tokens_max,
    });
  });

  test("every text has the same token ids, whatever its script and length", async () => {
    for (const { text, tokens: ids } of golden.cases) expect(await truncatedIds(model, text), text).toEqual(ids);
  });

  test("vectors in fp32 are the same", async () => {
    const vectors = await embed(await sessionOf(model), tokens, golden.dimensions);
    expect(Math.max(...distances(vectors, expected))).toBeLessThan(FP32_DISTANCE_MAX);
  });

  test("vectors in int8 are near", async () => {
    const vectors = await embed(await sessionOf(await realModel("int8")), tokens, golden.dimensions);
    const all = distances(vectors, expected);
    expect(all.reduce((sum, distance) => sum + distance, 0) / all.length).toBeLessThan(0.02);
    expect(Math.max(...all)).toBeLessThan(0.06);
  });

  test("the server gives them over HTTP, texts over the limit cut", async () => {
    const server = await testServer({ EMBED_PRECISION: "fp32" });
    try {
      const inputs = golden.cases.map(({ text }) => text);
      const reply = await post(`${server.url}/embed`, { inputs, truncate: true });
      const vectors = z.array(z.array(z.number())).parse(await reply.json());
      const all = distances(
        vectors.map((vector) => Float32Array.from(vector)),
        expected,
      );
      expect(Math.max(...all)).toBeLessThan(FP32_DISTANCE_MAX);
    } finally {
      await server.stop();
    }
  });
});

describe("a model with CLS pooling and prompts beside sentence-transformers", () => {
  const golden = readGolden("tiny-cls");
  let model: LoadedModel;
  beforeAll(async () => {
    // A copy: built graphs are kept in the model's folder.
    const folder = mkdtempSync(join(tmpdir(), "golden-tiny-"));
    folders.push(folder);
    cpSync(join(import.meta.dirname, "golden", "tiny-cls"), folder, { recursive: true });
    const loaded = await loadModel(plainRequest({ folder, modelId: "tiny-cls", precision: "fp32", environment: {} }));
    if (!loaded.ok) throw new Error(loaded.error.detail);
    model = loaded.value;
  });

  test("the folder that sentence-transformers saved is read as it means it", () => {
    expect(model.config).toMatchObject({
      pooling: "cls",
      normalized: true,
      hiddenSize: golden.dimensions,
      inputTokensMax: golden.input_tokens_max,
    });
  });

  test("every text has the same token ids", async () => {
    for (const { text, tokens } of golden.cases) expect(await truncatedIds(model, text), text).toEqual(tokens);
  });

  test("vectors in fp32 are the same, without a prompt, as query and as document", async () => {
    const session = await sessionOf(model);
    const variants = [
      { prompt: "", expected: golden.cases.map((item) => item.vector) },
      { prompt: golden.prompts?.query ?? "", expected: golden.cases.flatMap((item) => item.query_vector ?? []) },
      { prompt: golden.prompts?.document ?? "", expected: golden.cases.flatMap((item) => item.document_vector ?? []) },
    ];
    for (const { prompt, expected } of variants) {
      expect(expected).toHaveLength(golden.cases.length);
      const tokens = await Promise.all(golden.cases.map(({ text }) => truncatedIds(model, prompt + text)));
      const vectors = await embed(session, tokens, golden.dimensions);
      expect(Math.max(...distances(vectors, expected)), prompt).toBeLessThan(FP32_DISTANCE_MAX);
    }
  });
});
