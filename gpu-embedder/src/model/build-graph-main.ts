import { readConfig } from "../config.ts";
import { PRECISIONS } from "../graph/graph-context.ts";
import { loadModel } from "./loaded-model.ts";

/** `npm run build-graph [-- PRECISION …]`: builds the graphs of the configured model ahead of the first start, all three without an argument. */
const config = readConfig(process.env);
const wanted = process.argv.slice(2);
const precisions = PRECISIONS.filter((precision) => wanted.length === 0 || wanted.includes(precision));
const unknown = wanted.filter((name) => !PRECISIONS.some((precision) => precision === name));

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (!config.ok) fail(config.error.detail);
if (unknown.length > 0) fail(`unknown precision ${unknown.join(", ")}: one of ${PRECISIONS.join(", ")}`);
for (const precision of precisions) {
  const { modelFolder: folder, cacheFolder, modelId, prompts } = config.value;
  const request = { folder, cacheFolder, modelId, precision, onnxPath: undefined, prompts, environment: process.env };
  const loaded = await loadModel(request);
  if (!loaded.ok) fail(loaded.error.detail);
  process.stdout.write(`${loaded.value.modelId}, ${precision}: ${loaded.value.graphPath}\n`);
}
