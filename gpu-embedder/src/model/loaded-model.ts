import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256OfFile } from "../base/atomic-file.ts";
import { err, ok, type Result } from "../base/result.ts";
import { loadTokenizer, type TextTokenizer } from "../engine/tokenizer.ts";
import { ensureGraph, type GraphRequest } from "../graph/graph-cache.ts";
import { readModelConfig, readSentenceConfig, type ModelConfig, type SentenceConfig } from "../graph/model-config.ts";
import type { Precision } from "../graph/graph-context.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { ModelManifest } from "./manifest.ts";
import { manifestFor } from "./manifest-file.ts";
import { modelSources } from "./model-location.ts";
import { describeProvisionError, provisionModel } from "./provision.ts";
import { rangesKeyOf, readRanges } from "./ranges-file.ts";

/** Identity of a model as clients see it, and what is needed to run it. */
export type LoadedModel = {
  readonly modelId: string;
  readonly revision: string;
  readonly fingerprint: string;
  /** Arithmetic of the graph that was built here; a ready-made file has its own. */
  readonly precision: Precision | "ready-made";
  readonly config: SentenceConfig;
  readonly tokenizer: TextTokenizer;
  readonly tokenizerJson: Uint8Array<ArrayBuffer>;
  readonly tokenizerSha256: string;
  /** Of the official weights, or of the ready-made file. */
  readonly weightsSha256: string;
  readonly graphPath: string;
};

export type LoadRequest = {
  readonly folder: string;
  /** Folder of built graphs. */
  readonly cacheFolder: string;
  /** Undefined: the default model, or the manifest's. Another id without a manifest: the folder's files are taken as they are. */
  readonly modelId: string | undefined;
  readonly precision: Precision;
  /** A ready ONNX file of the model, run instead of a graph built here. */
  readonly onnxPath: string | undefined;
  /** Prompts that replace those of the model's own files, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly environment: NodeJS.ProcessEnv;
};

/** Request for a model as its folder has it, with nothing chosen besides the precision. */
export function plainRequest(
  options: Pick<LoadRequest, "folder" | "modelId" | "precision" | "environment">,
): LoadRequest {
  return { ...options, cacheFolder: options.folder, onnxPath: undefined, prompts: {} };
}

export type LoadError = { readonly code: string; readonly detail: string };

/** Makes the folder hold the manifest's files. Undefined where no manifest is known: then the folder is taken as it is. */
async function provisionPinned(request: LoadRequest): Promise<Result<ModelManifest | undefined, LoadError>> {
  const manifest = manifestFor(request.folder, request.modelId, request.environment);
  if (!manifest.ok || manifest.value === undefined) return manifest;
  const { modelId } = manifest.value;
  const outcome = await provisionModel(request.folder, manifest.value, modelSources(request.environment));
  if (outcome.ok) return manifest;
  return err({ code: outcome.error.code, detail: describeProvisionError(modelId, outcome.error) });
}

type RunnableGraph = {
  readonly config: SentenceConfig;
  readonly graphPath: string;
  /** SHA-256 of the file that holds the weights. */
  readonly weightsSha256: string;
  readonly precision: LoadedModel["precision"];
  /** Name of the activation ranges that the graph was built with. */
  readonly rangesKey: string | undefined;
};

async function hashOf(path: string): Promise<Result<string, LoadError>> {
  const sha256 = await sha256OfFile(path);
  return sha256 === undefined ? err({ code: "model_not_available", detail: `${path} cannot be read` }) : ok(sha256);
}

async function readyGraph(folder: string, onnxPath: string): Promise<Result<RunnableGraph, LoadError>> {
  const config = readSentenceConfig(folder);
  if (!config.ok) return config;
  const weightsSha256 = await hashOf(onnxPath);
  if (!weightsSha256.ok) return weightsSha256;
  return ok({
    config: config.value,
    graphPath: onnxPath,
    weightsSha256: weightsSha256.value,
    precision: "ready-made",
    rangesKey: undefined,
  });
}

function rangesFor(
  folder: string,
  weightsSha256: string,
  { layerCount }: ModelConfig,
): Result<GraphRequest["ranges"], LoadError> {
  const values = readRanges({ folder, weightsSha256, layerCount });
  if (!values.ok) return values;
  return ok(values.value === undefined ? undefined : { key: rangesKeyOf(values.value), values: values.value });
}

async function builtGraph(request: LoadRequest): Promise<Result<RunnableGraph, LoadError>> {
  const { folder, cacheFolder, precision } = request;
  const config = readModelConfig(folder);
  if (!config.ok) return config;
  const hash = await hashOf(join(folder, "model.safetensors"));
  if (!hash.ok) return hash;
  const weightsSha256 = hash.value;
  const ranges = precision === "int8" ? rangesFor(folder, weightsSha256, config.value) : ok(undefined);
  if (!ranges.ok) return ranges;
  const graph = await ensureGraph({
    modelFolder: folder,
    cacheFolder,
    config: config.value,
    weightsSha256,
    precision,
    ranges: ranges.value,
  });
  if (!graph.ok) return graph;
  return ok({
    config: config.value,
    graphPath: graph.value.path,
    weightsSha256,
    precision,
    rangesKey: ranges.value?.key,
  });
}

/** Provisions, checks, builds and reads a model. Slow only the first time. Errors carry a stable code and a sentence. */
export async function loadModel(request: LoadRequest): Promise<Result<LoadedModel, LoadError>> {
  const provisioned = await provisionPinned(request);
  if (!provisioned.ok) return provisioned;
  const graph = await (request.onnxPath === undefined
    ? builtGraph(request)
    : readyGraph(request.folder, request.onnxPath));
  if (!graph.ok) return graph;
  const tokenizerPath = join(request.folder, "tokenizer.json");
  const tokenizer = loadTokenizer(tokenizerPath);
  if (!tokenizer.ok) return tokenizer;
  const tokenizerJson = new Uint8Array(await readFile(tokenizerPath));
  const tokenizerSha256 = createHash("sha256").update(tokenizerJson).digest("hex");
  const config = { ...graph.value.config, prompts: { ...graph.value.config.prompts, ...request.prompts } };
  const modelId = provisioned.value?.modelId ?? request.modelId ?? "unknown";
  const revision = provisioned.value?.revision ?? "local";
  const fingerprint = fingerprintOf({
    model_id: modelId,
    revision,
    weights_sha256: graph.value.weightsSha256,
    tokenizer_sha256: tokenizerSha256,
    pooling: config.pooling,
    normalized: true,
    dimensions: config.hiddenSize,
    precision: graph.value.precision,
    ...(graph.value.rangesKey === undefined ? {} : { activation_ranges: graph.value.rangesKey }),
  });
  return ok({
    modelId,
    revision,
    fingerprint,
    precision: graph.value.precision,
    config,
    tokenizer: tokenizer.value,
    tokenizerJson,
    tokenizerSha256,
    weightsSha256: graph.value.weightsSha256,
    graphPath: graph.value.graphPath,
  });
}
