/**
 * The model alone: gpu-embedder's own inference sessions in this process, no server, no queue. Reads chunks (JSON strings, one a
 * line) and says "ready"; then each line on standard input runs all of them once, sorted by length, and prints seconds and tokens.
 */
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { z } from "zod";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import { loadModel, plainRequest } from "../src/model/loaded-model.ts";

const { values } = parseArgs({
  options: {
    chunks: { type: "string" },
    model: { type: "string" },
    sessions: { type: "string" },
    threads: { type: "string" },
    "batch-tokens": { type: "string" },
  },
});
const options = z
  .object({
    chunks: z.string(),
    model: z.string(),
    sessions: z.coerce.number().int().min(1),
    threads: z.coerce.number().int().min(1),
    "batch-tokens": z.coerce.number().int().min(1),
  })
  .parse(values);

/** Texts of one batch, as the server's limit. */
const BATCH_TEXTS_MAX = 64;

const loaded = await loadModel(
  plainRequest({
    folder: options.model,
    modelId: undefined,
    precision: "int8",
    environment: process.env,
  }),
);
if (!loaded.ok) throw new Error(loaded.error.detail);
const model = loaded.value;
const lines = (await readFile(options.chunks, "utf8")).split("\n").filter((line) => line !== "");
const chunks: Int32Array<ArrayBuffer>[] = [];
for (const line of lines) chunks.push(await model.tokenizer.encode(z.string().parse(JSON.parse(line))));
chunks.sort((a, b) => b.length - a.length);
const batches = batchesOf(chunks);
const tokenCount = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
const sessions = await Promise.all(
  Array.from({ length: options.sessions }, () => startBareSession(model, { threadCount: options.threads })),
);
await runBatches(batches.slice(0, 20));
console.log(JSON.stringify({ event: "ready", chunkCount: chunks.length, tokenCount }));
for await (const _ of createInterface(process.stdin)) {
  const startedAtMs = performance.now();
  await runBatches(batches);
  console.log(JSON.stringify({ event: "done", seconds: (performance.now() - startedAtMs) / 1000 }));
}
for (const session of sessions) await session.close();

/** Each session takes the next batch when its last one ended; one is handed over ahead, as in the server. */
async function runBatches(all: readonly (readonly Int32Array<ArrayBuffer>[])[]): Promise<void> {
  let next = 0;
  await Promise.all(
    [...sessions, ...sessions].map(async (session) => {
      for (let batch = all[next++]; batch !== undefined; batch = all[next++]) {
        await session.run(bareBatch(batch));
      }
    }),
  );
}

/** Neighbours in length, as many as the padded budget allows. */
function batchesOf(sorted: readonly Int32Array<ArrayBuffer>[]): Int32Array<ArrayBuffer>[][] {
  const result: Int32Array<ArrayBuffer>[][] = [];
  let batch: Int32Array<ArrayBuffer>[] = [];
  for (const chunk of sorted) {
    const longest = batch[0]?.length ?? chunk.length;
    if (batch.length === BATCH_TEXTS_MAX || longest * (batch.length + 1) > options["batch-tokens"]) {
      result.push(batch);
      batch = [];
    }
    batch.push(chunk);
  }
  result.push(batch);
  return result.filter((items) => items.length > 0);
}
