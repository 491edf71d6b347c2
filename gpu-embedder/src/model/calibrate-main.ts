import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../base/atomic-file.ts";
import { readConfig } from "../config.ts";
import { truncateIds } from "../engine/truncate-ids.ts";
import { buildGraphOf } from "../graph/graph-cache.ts";
import { readModelConfig } from "../graph/model-config.ts";
import { observeRanges } from "../graph/observe-ranges.ts";
import { loadModel } from "./loaded-model.ts";
import { RANGES_NAME, rangesFileOf } from "./ranges-file.ts";

/**
 * `npm run calibrate -- FILES…`: measures between which values the configured model's activations lie on the lines of text files and writes them into its
 * folder, where the int8 graph is then built with them. Some hundred lines like those that will be embedded are enough.
 */

/** A line a text; as many short lines take a minute on two cores. */
const TEXTS_MAX = 10_000;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const paths = process.argv.slice(2);
if (paths.length === 0) fail("usage: npm run calibrate -- FILES…");
const config = readConfig(process.env);
if (!config.ok) fail(config.error.detail);
const { modelFolder: folder, cacheFolder, modelId, prompts } = config.value;
const request = { folder, cacheFolder, modelId, prompts, onnxPath: undefined, environment: process.env };
const model = await loadModel({ ...request, precision: "fp32" });
if (!model.ok) fail(model.error.detail);
const modelConfig = readModelConfig(folder);
if (!modelConfig.ok) fail(modelConfig.error.detail);
const graph = buildGraphOf(folder, modelConfig.value, { precision: "fp32", observed: true });
if (!graph.ok) fail(graph.error.detail);

const { tokenizer, weightsSha256 } = model.value;
const lines = paths.flatMap((path) => readFileSync(path, "utf8").split("\n")).filter((line) => line.trim() !== "");
if (lines.length === 0) fail(`no text in ${paths.join(", ")}`);
// Spread over all of them, so that each file has its part
const textCount = Math.min(TEXTS_MAX, lines.length);
const texts: Int32Array[] = [];
for (let index = 0; index < textCount; index++) {
  const ids = await tokenizer.encode(lines[Math.floor((index * lines.length) / textCount)] ?? "");
  texts.push(truncateIds(ids, tokenizer, { tokensMax: modelConfig.value.inputTokensMax, side: "right" }));
}
const ranges = await observeRanges(graph.value, modelConfig.value.layerCount, texts);
const path = join(folder, RANGES_NAME);
await writeFileAtomically(path, rangesFileOf(ranges, weightsSha256, texts.length));
process.stdout.write(`${path}: ${texts.length} texts\n`);
