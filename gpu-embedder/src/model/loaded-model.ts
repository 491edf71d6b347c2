import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256OfFile } from "../base/atomic-file.ts";
import { err, ok, type Result } from "../base/result.ts";
import { loadTokenizer, type TextTokenizer } from "../engine/tokenizer.ts";
import { ensureGraph } from "../graph/graph-cache.ts";
import { readModelConfig, type ModelConfig } from "../graph/model-config.ts";
import type { Precision } from "../graph/graph-context.ts";
import { MINILM_MANIFEST } from "./manifest.ts";
import { modelSources } from "./model-location.ts";
import { describeProvisionError, provisionModel } from "./provision.ts";

/** Identity of a model as clients see it, and what is needed to run it. */
export type LoadedModel = {
  readonly modelId: string;
  readonly revision: string;
  readonly fingerprint: string;
  readonly precision: Precision;
  readonly config: ModelConfig;
  readonly tokenizer: TextTokenizer;
  readonly tokenizerJson: Uint8Array<ArrayBuffer>;
  readonly tokenizerSha256: string;
  readonly graphPath: string;
};

export type LoadRequest = {
  readonly folder: string;
  /** Undefined: the default model, with its pinned files. Another id: the folder's files are taken as they are. */
  readonly modelId: string | undefined;
  readonly precision: Precision;
  readonly environment: NodeJS.ProcessEnv;
};

export type LoadError = { readonly code: string; readonly detail: string };

/**
 * The identity of the vectors: SHA-256 over everything that decides what a text's vector is, as 64 hexadecimal characters.
 * Two servers with one fingerprint give vectors that may be compared.
 */
export function fingerprintOf(parts: Readonly<Record<string, string | number | boolean>>): string {
  const ordered = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(ordered)).digest("hex");
}

async function provisionPinned(request: LoadRequest): Promise<Result<void, LoadError>> {
  if (request.modelId !== undefined && request.modelId !== MINILM_MANIFEST.modelId) return ok(undefined);
  const outcome = await provisionModel(request.folder, MINILM_MANIFEST, modelSources(request.environment));
  if (outcome.ok) return ok(undefined);
  return err({ code: outcome.error.code, detail: describeProvisionError(MINILM_MANIFEST.modelId, outcome.error) });
}

/** Provisions, checks, builds and reads a model. Slow only the first time. Errors carry a stable code and a sentence. */
export async function loadModel(request: LoadRequest): Promise<Result<LoadedModel, LoadError>> {
  const provisioned = await provisionPinned(request);
  if (!provisioned.ok) return provisioned;
  const config = readModelConfig(request.folder);
  if (!config.ok) return config;
  const weightsSha256 = await sha256OfFile(join(request.folder, "model.safetensors"));
  if (weightsSha256 === undefined)
    return err({ code: "model_not_available", detail: "model.safetensors cannot be read" });
  const { folder, precision } = request;
  const graph = await ensureGraph({
    modelFolder: folder,
    cacheFolder: folder,
    config: config.value,
    weightsSha256,
    precision,
  });
  if (!graph.ok) return graph;
  const tokenizerPath = join(folder, "tokenizer.json");
  const tokenizer = loadTokenizer(tokenizerPath);
  if (!tokenizer.ok) return tokenizer;
  const tokenizerJson = new Uint8Array(await readFile(tokenizerPath));
  const tokenizerSha256 = createHash("sha256").update(tokenizerJson).digest("hex");
  const pinned = request.modelId === undefined || request.modelId === MINILM_MANIFEST.modelId;
  const identity = {
    model_id: request.modelId ?? MINILM_MANIFEST.modelId,
    revision: pinned ? MINILM_MANIFEST.revision : "local",
    weights_sha256: weightsSha256,
    tokenizer_sha256: tokenizerSha256,
    pooling: config.value.pooling,
    normalized: true,
    dimensions: config.value.hiddenSize,
    precision,
  };
  return ok({
    modelId: identity.model_id,
    revision: identity.revision,
    fingerprint: fingerprintOf(identity),
    precision,
    config: config.value,
    tokenizer: tokenizer.value,
    tokenizerJson,
    tokenizerSha256,
    graphPath: graph.value.path,
  });
}
