/**
 * Whether a provider gives the model's vectors: against sentence-transformers' golden ones (mean and CLS pooling, with and without prompts),
 * against fp32 on the CPU, and a text alone against in a batch. Exits with 1 where a bound is missed.
 *
 * `node bench/parity.ts [--provider cuda] [--precision fp16]`
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import { PROVIDER_TUNING, type Provider } from "../src/engine/provider.ts";
import { PRECISIONS, type Precision } from "../src/graph/graph-context.ts";
import { loadModel, plainRequest, type LoadedModel } from "../src/model/loaded-model.ts";
import { readGolden } from "../test/golden/golden-file.ts";
import { benchModel } from "./support/bench-model.ts";
import { cosineDistance } from "./support/correlation.ts";

/** Cosine distance that is rounding and nothing else: half precision has 11 bits, fp32 on a GPU may add in another order. int8 is quantization. */
const DISTANCE_MAX: Readonly<Record<Precision, number>> = { fp32: 1e-4, fp16: 1e-3, int8: 0.06 };
const BATCH_TEXTS = 16;

const text = { type: "string" } as const;
const { values } = parseArgs({ options: { provider: text, precision: text } });
const options = z
  .object({ provider: z.enum(["cpu", "cuda"]).default("cuda"), precision: z.enum(PRECISIONS).optional() })
  .parse(values);
const { provider } = options;
const { precision: usual, sequenceMultiple } = PROVIDER_TUNING[provider];
const precision = options.precision ?? usual;
const golden = readGolden("all-minilm-l6-v2");
const tokens = golden.cases.map((item) => Int32Array.from(item.tokens));
const together = await vectorsOf(await benchModel(precision), provider, tokens, BATCH_TEXTS);
const alone = await vectorsOf(await benchModel(precision), provider, tokens, 1);
const reference = await vectorsOf(await benchModel("fp32"), "cpu", tokens, BATCH_TEXTS);
judge(
  "mean pooling against sentence-transformers",
  together,
  golden.cases.map(({ vector }) => vector),
);
judge("mean pooling against fp32 on the CPU", together, reference);
judge("a text alone against in a batch", alone, together);
await judgeCls();

/** The small model with CLS pooling and prompts that the tests use. */
async function judgeCls(): Promise<void> {
  const cls = readGolden("tiny-cls");
  const folder = mkdtempSync(join(tmpdir(), "embedder-parity-"));
  cpSync(join(import.meta.dirname, "../test/golden/tiny-cls"), folder, { recursive: true });
  const loaded = await loadModel(plainRequest({ folder, modelId: "tiny-cls", precision, environment: {} }));
  if (!loaded.ok) throw new Error(loaded.error.detail);
  const model = loaded.value;
  const variants = [
    { prompt: "", expected: cls.cases.map(({ vector }) => vector) },
    { prompt: cls.prompts?.query ?? "", expected: cls.cases.flatMap((item) => item.query_vector ?? []) },
    { prompt: cls.prompts?.document ?? "", expected: cls.cases.flatMap((item) => item.document_vector ?? []) },
  ];
  for (const { prompt, expected } of variants) {
    const texts = await Promise.all(cls.cases.map((item) => cutIds(model, prompt + item.text)));
    judge(
      `CLS pooling, prompt ${JSON.stringify(prompt)}`,
      await vectorsOf(model, provider, texts, BATCH_TEXTS),
      expected,
    );
  }
  rmSync(folder, { recursive: true });
}

/** Token ids as the server cuts them: at the end, keeping the last special token. */
async function cutIds(model: LoadedModel, whole: string): Promise<Int32Array> {
  const ids = await model.tokenizer.encode(whole);
  const limit = model.config.inputTokensMax;
  return ids.length <= limit ? ids : Int32Array.of(...ids.subarray(0, limit - 1), ...ids.subarray(ids.length - 1));
}

async function vectorsOf(
  model: LoadedModel,
  on: Provider,
  texts: readonly Int32Array[],
  batchTexts: number,
): Promise<readonly Float32Array[]> {
  const session = await startBareSession(model, { provider: on });
  const vectors: Float32Array[] = [];
  for (let start = 0; start < texts.length; start += batchTexts) {
    const part = texts.slice(start, start + batchTexts);
    const { embeddings } = await session.run(bareBatch(part, sequenceMultiple));
    const size = embeddings.length / part.length;
    part.forEach((_, row) => vectors.push(embeddings.slice(row * size, (row + 1) * size)));
  }
  await session.close();
  return vectors;
}

function judge(name: string, vectors: readonly Float32Array[], expected: readonly Float32Array[]): void {
  const distances = expected.map((vector, index) =>
    cosineDistance(vector, vectors[index] ?? new Float32Array(vector.length)),
  );
  const largest = Math.max(...distances);
  const isNear = largest <= DISTANCE_MAX[precision];
  if (!isNear) process.exitCode = 1;
  console.log(
    `${provider}, ${precision}: ${name}, ${vectors.length} texts: least cosine ${(1 - largest).toFixed(7)} (${isNear ? "met" : "MISSED"})`,
  );
}
