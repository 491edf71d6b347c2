import { denseFamily } from "./dense.ts";
import { GRAPH_NAMES, weights, type GraphContext } from "./graph-context.ts";
import { ELEMENT_TYPE } from "./graph-writer.ts";
import { withInputShift, type Shifted } from "./shifted.ts";
import type { Dense } from "./weights.ts";

/** What a padded position's key gets in the extra component: its score falls by this over sqrt(head size), and exp of it is 0. */
const PADDING_KEY = 30_000;
const MASKED_KEYS = "attention.masked_keys";
/** Places of query, key and value among the columns of the joined projection. */
const PART = { query: 0, key: 1, value: 2 } as const;

/**
 * Adds the tensor that marks padded positions in the extra component of each head's key, [batch x sequence x heads * (head size + 1)],
 * once a graph.
 */
export function prepareAttention(context: GraphContext): void {
  if (context.precision === "fp16") return;
  const { graph, config } = context;
  const width = config.hiddenSize / config.headCount + 1;
  const extra = new Float32Array(config.headCount * width);
  for (let head = 0; head < config.headCount; head++) extra[head * width + width - 1] = PADDING_KEY;
  const mask = graph.node("Cast", {
    inputs: [GRAPH_NAMES.attentionMask],
    outputs: ["attention.mask"],
    attributes: [{ name: "to", i: ELEMENT_TYPE.float32 }],
  });
  const one = graph.constant("attention.one", "float32", [1], new Float32Array([1]));
  const padding = graph.node("Sub", { inputs: [mask, one], outputs: ["attention.padding"] });
  const axis = graph.constant("attention.axis", "int64", [1], new BigInt64Array([2n]));
  const column = graph.node("Unsqueeze", { inputs: [padding, axis], outputs: ["attention.padding_column"] });
  const components = graph.constant("attention.extra", "float32", [extra.length], extra);
  graph.node("Mul", { inputs: [column, components], outputs: [MASKED_KEYS] });
}

/** The columns of one part of the joined projection; with `extraBias` each head gets one more component of that constant value. */
function partOf(joined: Dense, headCount: number, part: number, extraBias: number | undefined): Dense {
  const hidden = joined.inputCount;
  const size = hidden / headCount;
  const width = extraBias === undefined ? size : size + 1;
  const outputCount = headCount * width;
  const matrix = new Float32Array(hidden * outputCount);
  const bias = new Float32Array(outputCount);
  for (let head = 0; head < headCount; head++) {
    const from = part * hidden + head * size;
    const to = head * width;
    bias.set(joined.bias.subarray(from, from + size), to);
    if (extraBias !== undefined) bias[to + size] = extraBias;
    for (let row = 0; row < hidden; row++) {
      const source = row * joined.outputCount + from;
      matrix.set(joined.matrix.subarray(source, source + size), row * outputCount + to);
    }
  }
  return { matrix, bias, inputCount: hidden, outputCount };
}

/**
 * Self-attention, [batch x sequence x hidden] to the same.
 *
 * ONNX Runtime's blockwise ("flash") attention on the CPU takes no mask. So each head has one component more: 1 in every query, 0 in the key of
 * a real token and `-PADDING_KEY` in that of a padded one, which gives padding the weight 0. Against the masked kernel that is 9 % of an int8
 * inference at 190 tokens and a third at 256. On CUDA the fused operator takes the mask itself.
 */
export function attention(context: GraphContext, name: string, input: Shifted, layer: Dense): string {
  const { graph, config } = context;
  const heads = { name: "num_heads", i: config.headCount };
  const joined = withInputShift(layer, input.shift);
  if (context.precision === "fp16") {
    const matrix = weights(context, `${name}.weight`, [joined.inputCount, joined.outputCount], joined.matrix);
    const bias = weights(context, `${name}.bias`, [joined.outputCount], joined.bias);
    const inputs = [input.tensor, matrix, bias, GRAPH_NAMES.attentionMask];
    return graph.fused("Attention", { inputs, outputs: [name], attributes: [heads] });
  }
  const project = denseFamily(context, name, input.tensor);
  const query = project("query", partOf(joined, config.headCount, PART.query, 1));
  const plainKey = project("key", partOf(joined, config.headCount, PART.key, 0));
  const value = project("value", partOf(joined, config.headCount, PART.value, undefined));
  const key = graph.node("Add", { inputs: [plainKey, MASKED_KEYS], outputs: [`${name}.masked_key`] });
  const scale = { name: "scale", f: 1 / Math.sqrt(config.hiddenSize / config.headCount) };
  return graph.fused("MultiHeadAttention", {
    inputs: [query, key, value],
    outputs: [name],
    attributes: [heads, scale],
  });
}
