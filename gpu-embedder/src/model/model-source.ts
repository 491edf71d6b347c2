import type { Result } from "../base/result.ts";
import type { ManifestFile, ModelManifest } from "./manifest.ts";

/**
 * A place that may have a model's files. It puts the wanted files below `stagingFolder` and verifies nothing:
 * the caller checks every hash. The error says in one sentence why the place did not deliver.
 */
export type ModelSource = {
  readonly name: string;
  fetch(request: FetchRequest): Promise<Result<void, string>>;
};

export type FetchRequest = {
  readonly manifest: ModelManifest;
  readonly wanted: readonly ManifestFile[];
  readonly stagingFolder: string;
  /** Folder for what is not complete: it stays from run to run. */
  readonly partialFolder: string;
};
