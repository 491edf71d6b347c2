import { err, ok, type Result } from "../base/result.ts";
import type { ModelConfig } from "./model-config.ts";
import type { Safetensors, SafetensorsError, Tensor } from "./safetensors.ts";

/** A layer `y = x W + b` with W row-major [inputCount x outputCount]: the order that ONNX's MatMul takes. */
export type Dense = {
  readonly matrix: Float32Array;
  readonly bias: Float32Array;
  readonly inputCount: number;
  readonly outputCount: number;
};

export type Norm = { readonly gamma: Float32Array; readonly beta: Float32Array };

export type EncoderLayer = {
  /** Query, key and value side by side: [hidden x 3 hidden]. */
  readonly queryKeyValue: Dense;
  readonly attentionOutput: Dense;
  readonly attentionNorm: Norm;
  readonly intermediate: Dense;
  readonly output: Dense;
  readonly outputNorm: Norm;
};

/** The weights of a BERT encoder as the graph uses them. */
export type BertWeights = {
  readonly words: Float32Array;
  /** Position embeddings with the embedding of segment 0 added: a single text has no other segment. */
  readonly positions: Float32Array;
  readonly embeddingNorm: Norm;
  readonly layers: readonly EncoderLayer[];
};

/** Sentence-transformers files name tensors from the encoder itself or from a model that holds it. */
const NAME_PREFIXES = ["", "bert."] as const;

class TensorMismatch extends Error {}

type Take = (name: string, shape: readonly number[]) => Float32Array;

function transposed(data: Float32Array, rowCount: number, columnCount: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < columnCount; column++)
      result[column * rowCount + row] = data[row * columnCount + column] ?? 0;
  }
  return result;
}

/** PyTorch stores a linear layer as [outputs x inputs]; several of the same input may be stacked into one. */
function denseOf(take: Take, names: readonly string[], inputCount: number, outputCountEach: number): Dense {
  const outputCount = outputCountEach * names.length;
  const stacked = new Float32Array(inputCount * outputCount);
  const bias = new Float32Array(outputCount);
  names.forEach((name, index) => {
    stacked.set(take(`${name}.weight`, [outputCountEach, inputCount]), index * outputCountEach * inputCount);
    bias.set(take(`${name}.bias`, [outputCountEach]), index * outputCountEach);
  });
  return { matrix: transposed(stacked, outputCount, inputCount), bias, inputCount, outputCount };
}

function normOf(take: Take, name: string, size: number): Norm {
  return { gamma: take(`${name}.weight`, [size]), beta: take(`${name}.bias`, [size]) };
}

function layerOf(take: Take, config: ModelConfig, prefix: string): EncoderLayer {
  const hidden = config.hiddenSize;
  const self = `${prefix}.attention.self`;
  return {
    queryKeyValue: denseOf(take, [`${self}.query`, `${self}.key`, `${self}.value`], hidden, hidden),
    attentionOutput: denseOf(take, [`${prefix}.attention.output.dense`], hidden, hidden),
    attentionNorm: normOf(take, `${prefix}.attention.output.LayerNorm`, hidden),
    intermediate: denseOf(take, [`${prefix}.intermediate.dense`], hidden, config.intermediateSize),
    output: denseOf(take, [`${prefix}.output.dense`], config.intermediateSize, hidden),
    outputNorm: normOf(take, `${prefix}.output.LayerNorm`, hidden),
  };
}

function positionsOf(take: Take, config: ModelConfig, segments: Float32Array): Float32Array {
  const positions = Float32Array.from(
    take("embeddings.position_embeddings.weight", [config.positionCount, config.hiddenSize]),
  );
  for (let index = 0; index < positions.length; index++) {
    positions[index] = (positions[index] ?? 0) + (segments[index % config.hiddenSize] ?? 0);
  }
  return positions;
}

/** Collects the encoder's weights. Errors: `weights_malformed` when a tensor is missing or has another shape than the configuration says. */
export function readBertWeights(tensors: Safetensors, config: ModelConfig): Result<BertWeights, SafetensorsError> {
  const known = new Set(tensors.names);
  const prefix = NAME_PREFIXES.find((candidate) => known.has(`${candidate}embeddings.word_embeddings.weight`)) ?? "";
  const take: Take = (name, shape) => {
    const tensor: Result<Tensor, SafetensorsError> = tensors.get(prefix + name);
    if (!tensor.ok) throw new TensorMismatch(tensor.error.detail);
    if (tensor.value.shape.join("x") !== shape.join("x")) {
      throw new TensorMismatch(`tensor ${name} is ${tensor.value.shape.join("x")}, expected ${shape.join("x")}`);
    }
    return tensor.value.data;
  };
  try {
    const hidden = config.hiddenSize;
    const segments = take("embeddings.token_type_embeddings.weight", [config.segmentCount, hidden]);
    return ok({
      words: take("embeddings.word_embeddings.weight", [config.vocabularySize, hidden]),
      positions: positionsOf(take, config, segments),
      embeddingNorm: normOf(take, "embeddings.LayerNorm", hidden),
      layers: Array.from({ length: config.layerCount }, (_, index) => layerOf(take, config, `encoder.layer.${index}`)),
    });
  } catch (cause) {
    if (cause instanceof TensorMismatch) return err({ code: "weights_malformed", detail: cause.message });
    throw cause;
  }
}
