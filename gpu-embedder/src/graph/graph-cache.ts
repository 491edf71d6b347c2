import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256OfFile, writeFileAtomically } from "../base/atomic-file.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ActivationRanges } from "./activation-ranges.ts";
import { BUILDER_VERSION, buildGraph, type GraphOptions } from "./build-graph.ts";
import type { Precision } from "./graph-context.ts";
import type { ModelConfig } from "./model-config.ts";
import { readSafetensors, type SafetensorsError } from "./safetensors.ts";
import { readBertWeights } from "./weights.ts";

export type GraphRequest = {
  readonly modelFolder: string;
  /** Where built graphs are kept: the model's folder, or another one where that is read-only. */
  readonly cacheFolder: string;
  readonly config: ModelConfig;
  readonly weightsSha256: string;
  readonly precision: Precision;
  /** What int8 is built with, and the name of it; undefined: ranges are found anew in each batch. */
  readonly ranges: { readonly key: string; readonly values: ActivationRanges } | undefined;
};

export type GraphFile = { readonly path: string; readonly built: boolean };

/** Characters of the weights' hash in the cached file's name: enough that another model's graph is never taken. */
const NAME_HASH_LENGTH = 12;

function cachedPath(request: GraphRequest): string {
  const weights = request.weightsSha256.slice(0, NAME_HASH_LENGTH);
  const parts = [`v${BUILDER_VERSION}`, request.precision, weights, ...(request.ranges ? [request.ranges.key] : [])];
  return join(request.cacheFolder, `graph-${parts.join("-")}.onnx`);
}

async function isIntact(path: string): Promise<boolean> {
  const recorded = await readFile(`${path}.sha256`, "utf8").catch(() => undefined);
  return recorded !== undefined && recorded.trim() === (await sha256OfFile(path));
}

/** Builds the graph's bytes from the model folder. */
export function buildGraphOf(
  modelFolder: string,
  config: ModelConfig,
  options: GraphOptions,
): Result<Uint8Array, SafetensorsError> {
  const tensors = readSafetensors(join(modelFolder, "model.safetensors"));
  if (!tensors.ok) return tensors;
  const weights = readBertWeights(tensors.value, config);
  return weights.ok ? ok(buildGraph(config, weights.value, options)) : weights;
}

/**
 * Path of the ONNX file for a model and a precision; built once and kept beside its SHA-256, by which a damaged file is seen and
 * built again. Errors: `weights_malformed`, `graph_not_writable` where the cache folder takes no file.
 */
export async function ensureGraph(
  request: GraphRequest,
): Promise<Result<GraphFile, SafetensorsError | { readonly code: "graph_not_writable"; readonly detail: string }>> {
  const path = cachedPath(request);
  if (await isIntact(path)) return ok({ path, built: false });
  const graph = buildGraphOf(request.modelFolder, request.config, {
    precision: request.precision,
    ranges: request.ranges?.values,
  });
  if (!graph.ok) return graph;
  try {
    await writeFileAtomically(path, graph.value);
    await writeFileAtomically(`${path}.sha256`, `${createHash("sha256").update(graph.value).digest("hex")}\n`);
  } catch (cause) {
    return err({ code: "graph_not_writable", detail: cause instanceof Error ? cause.message : "write failed" });
  }
  return ok({ path, built: true });
}
