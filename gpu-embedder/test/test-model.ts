import { loadModel, plainRequest, type LoadedModel } from "../src/model/loaded-model.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import type { Precision } from "../src/graph/graph-context.ts";

/** The real default model, provisioned by the code under test where it is not there yet. */
export async function realModel(precision: Precision): Promise<LoadedModel> {
  const loaded = await loadModel(
    plainRequest({ folder: modelFolderOf(process.env), modelId: undefined, precision, environment: process.env }),
  );
  if (!loaded.ok) throw new Error(loaded.error.detail);
  return loaded.value;
}

/** Texts of several lengths and scripts. */
export const SAMPLE_TEXTS = [
  "A man is playing a guitar.",
  "Ok",
  "The quick brown fox jumps over the lazy dog, again and again, until the evening comes.",
  "Grüße aus Köln: straße, naïve café, Ærøskøbing.",
  "机器学习 and 東京タワー in one line",
  "supercalifragilisticexpialidocious antidisestablishmentarianism 3.14159 #hash @user http://example.org/a?b=c",
] as const;
