import { copyFile, mkdir, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { err, ok } from "../base/result.ts";
import type { FetchRequest, ModelSource } from "./model-source.ts";

async function copyFrom(folder: string, request: FetchRequest): Promise<string | undefined> {
  for (const file of request.wanted) {
    const target = join(request.stagingFolder, file.path);
    await mkdir(dirname(target), { recursive: true });
    try {
      await copyFile(join(folder, file.path), target);
    } catch {
      return `${file.path} is not in ${folder}`;
    }
  }
  return undefined;
}

/** A folder that a person or an image prepared. */
export function folderSource(folder: string): ModelSource {
  return {
    name: "given folder",
    async fetch(request) {
      const failure = await copyFrom(folder, request);
      return failure === undefined ? ok(undefined) : err(failure);
    },
  };
}

/** Undefined for a user without a home, as in a container whose user stands in no passwd file. */
function defaultCacheFolder(): string | undefined {
  try {
    return join(homedir(), ".cache", "huggingface");
  } catch {
    return undefined;
  }
}

/** The cache that the Hugging Face tools keep: `<HF_HOME>/hub/models--<owner>--<name>/snapshots/<commit>`. */
export function hubCacheSource(environment: NodeJS.ProcessEnv): ModelSource {
  return {
    name: "Hugging Face cache",
    async fetch(request) {
      const home = environment["HF_HOME"] ?? defaultCacheFolder();
      if (home === undefined) return err("no home folder and no HF_HOME");
      const snapshots = join(home, "hub", `models--${request.manifest.modelId.replaceAll("/", "--")}`, "snapshots");
      let commits: string[];
      try {
        commits = await readdir(snapshots);
      } catch {
        return err(`no folder ${snapshots}`);
      }
      for (const commit of commits) {
        if ((await copyFrom(join(snapshots, commit), request)) === undefined) return ok(undefined);
      }
      return err(`no complete snapshot in ${snapshots}`);
    },
  };
}
