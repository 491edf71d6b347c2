import type { Precision } from "../../src/graph/graph-context.ts";
import { loadModel, plainRequest, type LoadedModel } from "../../src/model/loaded-model.ts";
import { modelFolderOf } from "../../src/model/model-location.ts";

/** The default model as the server loads it, provisioned and built where need be. */
export async function benchModel(precision: Precision): Promise<LoadedModel> {
  const folder = modelFolderOf(process.env);
  const request = plainRequest({ folder, modelId: undefined, precision, environment: process.env });
  const loaded = await loadModel(request);
  if (!loaded.ok) throw new Error(loaded.error.detail);
  return loaded.value;
}
