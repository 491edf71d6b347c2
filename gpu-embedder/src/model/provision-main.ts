import { resolve } from "node:path";
import { modelFolderOf, modelSources } from "./model-location.ts";
import { manifestFor } from "./manifest-file.ts";
import { describeProvisionError, provisionModel } from "./provision.ts";

/** `npm run model [-- FOLDER]`: provisions the weights of the default model, or of a manifest's, and says where they came from. */
const argument = process.argv[2];
const folder = argument === undefined ? modelFolderOf(process.env) : resolve(argument);

async function provision(): Promise<{ readonly done: boolean; readonly message: string }> {
  const manifest = manifestFor(folder, process.env["EMBED_MODEL_ID"], process.env);
  if (!manifest.ok) return { done: false, message: `${manifest.error.code}: ${manifest.error.detail}` };
  if (manifest.value === undefined) return { done: true, message: `no manifest: ${folder} is taken as it is` };
  const { modelId } = manifest.value;
  const outcome = await provisionModel(folder, manifest.value, modelSources(process.env));
  if (!outcome.ok) return { done: false, message: describeProvisionError(modelId, outcome.error) };
  const { source, filesFetched } = outcome.value;
  const origin = source === "local" ? "already complete" : `${filesFetched} files from: ${source}`;
  return { done: true, message: `${modelId}: ${folder} (${origin}; SHA-256 checked)` };
}

const { done, message } = await provision();
(done ? process.stdout : process.stderr).write(`${message}\n`);
process.exitCode = done ? 0 : 1;
