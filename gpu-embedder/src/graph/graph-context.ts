import type { ActivationRanges } from "./activation-ranges.ts";
import type { GraphWriter } from "./graph-writer.ts";
import type { ModelConfig } from "./model-config.ts";

/**
 * Arithmetic of the graph's matrix products. `fp32` and `int8` are laid out for ONNX Runtime's CPU kernels, `fp16` for its CUDA
 * kernels; inputs and outputs are the same for each.
 */
export const PRECISIONS = ["fp32", "int8", "fp16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What the parts of a graph are built with. */
export type GraphContext = {
  readonly graph: GraphWriter;
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** Ranges of what int8 products read; undefined: found anew in each batch. Of no meaning in the other precisions. */
  readonly ranges: ActivationRanges | undefined;
  /** Whether what products read is an output of the graph too, for those who look for its range. */
  readonly observed: boolean;
};

/** Names of the graph's inputs (int32, [batch x sequence]) and outputs (float32, [batch x hidden]). */
export const GRAPH_NAMES = {
  tokenIds: "input_ids",
  attentionMask: "attention_mask",
  pooled: "pooled",
  embedding: "sentence_embedding",
} as const;

/** Adds weights as a constant in the graph's own type: float16 where the products are, float32 otherwise. */
export function weights(context: GraphContext, name: string, dims: readonly number[], data: Float32Array): string {
  return context.precision === "fp16"
    ? context.graph.constant(name, "float16", dims, new Float16Array(data))
    : context.graph.constant(name, "float32", dims, data);
}
