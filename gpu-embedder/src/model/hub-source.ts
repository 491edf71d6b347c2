import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { err, ok } from "../base/result.ts";
import type { FetchRequest, ModelSource } from "./model-source.ts";
import { claimPartialFile, discardPartialFile } from "./partial-file.ts";
import { DOWNLOAD_LIMITS, downloadResumably, type DownloadLimits } from "./resumable-download.ts";

const HUB_ENDPOINT_DEFAULT = "https://huggingface.co";

/**
 * The Hugging Face hub at the manifest's pinned revision. `HF_ENDPOINT` names a mirror; `EMBED_MODEL_HUB=0` skips it.
 * A cut download goes on where it ended, also in a later run.
 */
export function hubSource(environment: NodeJS.ProcessEnv, limits: DownloadLimits = DOWNLOAD_LIMITS): ModelSource {
  const endpoint = (environment["HF_ENDPOINT"] ?? HUB_ENDPOINT_DEFAULT).replace(/\/$/, "");
  return {
    name: "Hugging Face hub",
    async fetch(request: FetchRequest) {
      if (environment["EMBED_MODEL_HUB"] === "0") return err("skipped by EMBED_MODEL_HUB=0");
      const { modelId, revision } = request.manifest;
      for (const file of request.wanted) {
        const url = `${endpoint}/${modelId}/resolve/${revision}/${file.path}`;
        const part = await claimPartialFile(request.partialFolder, file.sha256);
        const failure = await downloadResumably(url, part, file, limits);
        if (failure !== undefined) return err(`${file.path}: ${failure}`);
        const target = join(request.stagingFolder, file.path);
        await mkdir(dirname(target), { recursive: true });
        await rename(part.path, target);
        await discardPartialFile(part);
      }
      return ok(undefined);
    },
  };
}
