import { resolve } from "node:path";
import { folderSource, hubCacheSource } from "./folder-source.ts";
import { hubSource } from "./hub-source.ts";
import type { ModelSource } from "./model-source.ts";
import { wheelSource } from "./wheel-source.ts";

/** Below the repository root, in the one folder that git ignores. */
const DEFAULT_FOLDER = resolve(import.meta.dirname, "../../../.jeeves/models/all-MiniLM-L6-v2");

/** Folder that holds the model: `MODEL_DIR`, or the default. */
export function modelFolderOf(environment: NodeJS.ProcessEnv): string {
  const given = environment["MODEL_DIR"];
  return given === undefined || given === "" ? DEFAULT_FOLDER : resolve(given);
}

/** Where missing files are looked for, in order. `MODEL_SOURCE_DIR` is a folder to copy from. */
export function modelSources(environment: NodeJS.ProcessEnv): readonly ModelSource[] {
  const given = environment["MODEL_SOURCE_DIR"];
  return [
    ...(given === undefined || given === "" ? [] : [folderSource(resolve(given))]),
    hubCacheSource(environment),
    hubSource(environment),
    wheelSource(),
  ];
}
