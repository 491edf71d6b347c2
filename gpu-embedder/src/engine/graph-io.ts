import { Tensor, type InferenceSession } from "onnxruntime-node";
import { assert, present } from "../base/assert.ts";
import { GRAPH_NAMES } from "../graph/graph-context.ts";
import type { Pooling } from "../graph/model-config.ts";
import type { BatchMessage } from "./batch-messages.ts";

/** Inputs that a graph may have besides token ids and mask; a single text has only zeros there. */
const TOKEN_TYPES = "token_type_ids";
/** Outputs of ready-made graphs that hold a vector for each token. */
const TOKEN_OUTPUTS = ["last_hidden_state", "token_embeddings"] as const;
/** A norm below this is a vector of zeros, which has no direction. */
const NORM_MIN = 1e-12;

/** How a graph is fed and read. Our own graphs pool and normalise themselves; ready-made ones may end before that. */
export type GraphIo = {
  readonly integers: "int32" | "int64";
  readonly takesTokenTypes: boolean;
  /** `own`: unit vectors and pooled ones; `text`: a vector for each text; `token`: a vector for each token. */
  readonly kind: "own" | "text" | "token";
  readonly outputs: readonly string[];
  readonly outputsWithPooled: readonly string[];
};

type Outputs = InferenceSession.OnnxValueMapType;
type Vectors = { readonly embeddings: Float32Array<ArrayBuffer>; readonly pooled: Float32Array<ArrayBuffer> };

function outputsOf(session: InferenceSession): Pick<GraphIo, "kind" | "outputs" | "outputsWithPooled"> {
  const { embedding, pooled } = GRAPH_NAMES;
  const names = session.outputNames;
  if (names.includes(embedding) && names.includes(pooled))
    return { kind: "own", outputs: [embedding], outputsWithPooled: [embedding, pooled] };
  const known = [embedding, ...TOKEN_OUTPUTS].find((name) => names.includes(name)) ?? names[0];
  const name = present(known, "a graph has an output");
  const described = session.outputMetadata.find((output) => output.name === name);
  assert(described?.isTensor === true && described.type === "float32", `output ${name} of the graph is float32`);
  assert(described.shape.length === 2 || described.shape.length === 3, `output ${name} has two or three dimensions`);
  const outputs = [name];
  return { kind: described.shape.length === 2 ? "text" : "token", outputs, outputsWithPooled: outputs };
}

/** Reads how a graph wants to be fed. Throws with a sentence when it is no encoder of token ids and a mask. */
export function readGraphIo(session: InferenceSession): GraphIo {
  const ids = session.inputMetadata.find((input) => input.name === GRAPH_NAMES.tokenIds);
  const isInteger = ids?.isTensor === true && (ids.type === "int64" || ids.type === "int32");
  assert(isInteger && session.inputNames.includes(GRAPH_NAMES.attentionMask), "the graph takes input_ids and a mask");
  const fed: readonly string[] = [GRAPH_NAMES.tokenIds, GRAPH_NAMES.attentionMask, TOKEN_TYPES];
  const unknown = session.inputNames.filter((name) => !fed.includes(name));
  assert(unknown.length === 0, `the graph takes no input besides ids, mask and token types: ${unknown.join(", ")}`);
  return {
    integers: ids.type === "int64" ? "int64" : "int32",
    takesTokenTypes: session.inputNames.includes(TOKEN_TYPES),
    ...outputsOf(session),
  };
}

/** A batch as the graph's input tensors. */
export function feedsOf(io: GraphIo, batch: BatchMessage): Record<string, Tensor> {
  const shape = [batch.batchSize, batch.sequenceLength];
  const tensor = (values: Int32Array): Tensor =>
    io.integers === "int32"
      ? new Tensor("int32", values, shape)
      : new Tensor("int64", BigInt64Array.from(values, BigInt), shape);
  const feeds: Record<string, Tensor> = {
    [GRAPH_NAMES.tokenIds]: tensor(batch.tokenIds),
    [GRAPH_NAMES.attentionMask]: tensor(batch.attentionMask),
  };
  if (io.takesTokenTypes) feeds[TOKEN_TYPES] = tensor(new Int32Array(batch.tokenIds.length));
  return feeds;
}

function floatsOf(outputs: Outputs, name: string | undefined): Float32Array<ArrayBuffer> {
  const values = present(outputs[name ?? ""], "the graph has the output that was asked for").data;
  assert(values instanceof Float32Array, "the graph's outputs are float32");
  return new Float32Array(values);
}

/** Pools token vectors, [batch x sequence x size] to [batch x size], over the tokens that the mask keeps. */
export function poolTokens(
  tokens: Float32Array,
  batch: Pick<BatchMessage, "attentionMask" | "batchSize" | "sequenceLength">,
  pooling: Pooling,
): Float32Array<ArrayBuffer> {
  const { attentionMask, batchSize, sequenceLength } = batch;
  const size = tokens.length / (batchSize * sequenceLength);
  const pooled = new Float32Array(batchSize * size);
  for (let row = 0; row < batchSize; row++) {
    const last = pooling === "cls" ? 1 : sequenceLength;
    let count = 0;
    for (let place = 0; place < last; place++) {
      const position = row * sequenceLength + place;
      if (attentionMask[position] !== 1) continue;
      count += 1;
      for (let index = 0; index < size; index++)
        pooled[row * size + index] = (pooled[row * size + index] ?? 0) + (tokens[position * size + index] ?? 0);
    }
    for (let index = 0; index < size; index++) pooled[row * size + index] = (pooled[row * size + index] ?? 0) / count;
  }
  return pooled;
}

/** Vectors scaled to unit length, [batch x size]. */
export function unitVectors(vectors: Float32Array, batchSize: number): Float32Array<ArrayBuffer> {
  const size = vectors.length / batchSize;
  const unit = new Float32Array(vectors.length);
  for (let row = 0; row < batchSize; row++) {
    const vector = vectors.subarray(row * size, (row + 1) * size);
    const norm = Math.max(Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)), NORM_MIN);
    unit.set(
      vector.map((value) => value / norm),
      row * size,
    );
  }
  return unit;
}

/** The vectors of a batch from what the graph gave. */
export function vectorsOf(io: GraphIo, outputs: Outputs, batch: BatchMessage, pooling: Pooling): Vectors {
  if (io.kind === "own") {
    const pooled = batch.withPooled ? floatsOf(outputs, io.outputsWithPooled[1]) : new Float32Array(0);
    return { embeddings: floatsOf(outputs, io.outputs[0]), pooled };
  }
  const values = floatsOf(outputs, io.outputs[0]);
  const pooled = io.kind === "text" ? values : poolTokens(values, batch, pooling);
  return { embeddings: unitVectors(pooled, batch.batchSize), pooled };
}
