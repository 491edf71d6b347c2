import { resolve } from "node:path";
import { modelFolderOf, modelSources } from "./model-location.ts";
import { MINILM_MANIFEST } from "./manifest.ts";
import { describeProvisionError, provisionModel } from "./provision.ts";

/** `npm run model [-- FOLDER]`: provisions the default model's weights and says where they came from. */
const argument = process.argv[2];
const folder = argument === undefined ? modelFolderOf(process.env) : resolve(argument);
const outcome = await provisionModel(folder, MINILM_MANIFEST, modelSources(process.env));
if (outcome.ok) {
  const { source, filesFetched } = outcome.value;
  process.stdout.write(
    `${MINILM_MANIFEST.modelId}: ${folder} (${source === "local" ? "already complete" : `${filesFetched} files from: ${source}`}; SHA-256 checked)\n`,
  );
} else {
  process.stderr.write(`${describeProvisionError(MINILM_MANIFEST.modelId, outcome.error)}\n`);
  process.exitCode = 1;
}
