import { observedName, type ActivationRanges, type LayerRanges } from "./activation-ranges.ts";
import { attention, prepareAttention } from "./attention.ts";
import { dense, operandOf, product, type Operand } from "./dense.ts";
import { GRAPH_NAMES, weights, type GraphContext, type Precision } from "./graph-context.ts";
import { GraphWriter } from "./graph-writer.ts";
import { embed } from "./embedding.ts";
import { addAndNormalize, materialized } from "./layer-norm.ts";
import type { ModelConfig } from "./model-config.ts";
import { poolAndNormalize } from "./pooling.ts";
import { withInputShift, withOutputShift, type Shifted } from "./shifted.ts";
import type { BertWeights, EncoderLayer } from "./weights.ts";

/** Raised with every change of the bytes that the same weights give. Part of the cached file's name. */
export const BUILDER_VERSION = "6";

function activate(context: GraphContext, name: string, input: Operand, layer: EncoderLayer["intermediate"]): string {
  const { graph, precision } = context;
  if (precision === "fp16") {
    const bias = weights(context, `${name}.bias`, [layer.outputCount], layer.bias);
    const widened = product(context, name, input.tensor, layer);
    return graph.fused("BiasGelu", { inputs: [widened, bias], outputs: [`${name}.gelu`] });
  }
  // Gelu after a product that adds its bias itself is 10 % faster in int8 than BiasGelu, and exact as BERT's is
  return graph.fused("Gelu", { inputs: [dense(context, name, input, layer)], outputs: [`${name}.gelu`] });
}

/** Makes the tensor that a product of a layer reads ready for it. */
function read(context: GraphContext, index: number, reader: keyof LayerRanges, tensor: string): Operand {
  if (context.observed) {
    const observed = context.graph.node("Identity", { inputs: [tensor], outputs: [observedName(index, reader)] });
    context.graph.output(observed, "float32", undefined);
  }
  return operandOf(context, tensor, context.ranges?.[index]?.[reader]);
}

function encoderLayer(context: GraphContext, index: number, input: Shifted, layer: EncoderLayer): Shifted {
  const name = `layer_${index}`;
  const joined = withInputShift(layer.queryKeyValue, input.shift);
  const mixed = attention(context, `${name}.attention`, read(context, index, "queryKeyValue", input.tensor), joined);
  const projection = withOutputShift(layer.attentionOutput, input.shift);
  const projected = dense(
    context,
    `${name}.attention_output`,
    read(context, index, "attentionOutput", mixed),
    projection,
  );
  const attended = addAndNormalize(context, `${name}.attention_norm`, [projected, input.tensor], layer.attentionNorm);
  const widening = withInputShift(layer.intermediate, attended.shift);
  const widened = read(context, index, "intermediate", attended.tensor);
  const activated = read(context, index, "output", activate(context, `${name}.intermediate`, widened, widening));
  const narrowed = dense(context, `${name}.output`, activated, withOutputShift(layer.output, attended.shift));
  return addAndNormalize(context, `${name}.output_norm`, [narrowed, attended.tensor], layer.outputNorm);
}

export type GraphOptions = {
  readonly precision: Precision;
  /** Ranges of what int8 products read; undefined: found anew in each batch. */
  readonly ranges?: ActivationRanges | undefined;
  /** Adds an output for each tensor that a product reads, named by `observedName`. */
  readonly observed?: boolean;
};

/**
 * Writes the ONNX file of a BERT sentence encoder with fused operators, pooling and L2 normalisation inside.
 * Each row of the mask needs at least one 1. The same weights, configuration and precision give the same bytes. Pure.
 */
export function buildGraph(config: ModelConfig, bert: BertWeights, options: GraphOptions): Uint8Array {
  const { precision, ranges, observed = false } = options;
  const graph = new GraphWriter();
  const context: GraphContext = { graph, config, precision, ranges, observed };
  graph.input(GRAPH_NAMES.tokenIds, "int32", ["batch", "sequence"]);
  graph.input(GRAPH_NAMES.attentionMask, "int32", ["batch", "sequence"]);
  let hidden = embed(context, bert);
  prepareAttention(context);
  bert.layers.forEach((layer, index) => {
    hidden = encoderLayer(context, index, hidden, layer);
  });
  poolAndNormalize(context, materialized(context, "hidden", hidden));
  return graph.encode(BUILDER_VERSION, [
    ["precision", precision],
    ["pooling", config.pooling],
  ]);
}
