/**
 * transformers.js in this process: its tokenizer and its model class on the very ONNX file that our server runs.
 * `node transformers_js_side.mjs MODELS_FOLDER MODEL_NAME`, started where its packages lie. Says "ready", then embeds the texts of a
 * file (JSON strings, one a line) for each line {"file", "batch", "sorted"} and prints {"seconds", "first_vector"}.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modelsFolder, modelName] = process.argv.slice(2);
const installed = createRequire(join(process.cwd(), "package.json")).resolve("@huggingface/transformers");
const { AutoModel, AutoTokenizer, env } = await import(pathToFileURL(installed).href);
env.allowRemoteModels = false;
env.localModelPath = modelsFolder;
const tokenizer = await AutoTokenizer.from_pretrained(modelName);
const model = await AutoModel.from_pretrained(modelName, {
  dtype: "q8",
  device: "cpu",
  // The number of threads is left to ONNX Runtime: it then pins each to a core. Named, they are not pinned and now and then share one, at two thirds of the speed.
  session_options: { logSeverityLevel: 3 },
});

async function embed(texts) {
  const inputs = await tokenizer(texts, { padding: true, truncation: true });
  // The library makes int64 tensors; the graph takes int32, for every side.
  const { sentence_embedding: embedding } = await model({
    input_ids: inputs.input_ids.to("int32"),
    attention_mask: inputs.attention_mask.to("int32"),
  });
  return embedding.data;
}

await embed(Array.from({ length: 8 }, () => "warm up ".repeat(100)));
console.log(JSON.stringify({ event: "ready", versions: env.version }));
for await (const line of createInterface(process.stdin)) {
  const { file, batch, sorted } = JSON.parse(line);
  const texts = readFileSync(file, "utf8")
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text));
  const startedMs = performance.now();
  const order = texts.map((_, index) => index);
  if (sorted) order.sort((a, b) => texts[a].length - texts[b].length);
  const vectors = [];
  for (let start = 0; start < order.length; start += batch) {
    const indexes = order.slice(start, start + batch);
    const data = await embed(indexes.map((index) => texts[index]));
    const size = data.length / indexes.length;
    indexes.forEach((index, row) => {
      vectors[index] = data.slice(row * size, (row + 1) * size);
    });
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(JSON.stringify({ seconds, first_vector: [...vectors[0]] }));
}
