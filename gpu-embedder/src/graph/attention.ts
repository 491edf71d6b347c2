import { dense, type Operand } from "./dense.ts";
import { GRAPH_NAMES, weights, type GraphContext } from "./graph-context.ts";
import { ELEMENT_TYPE } from "./graph-writer.ts";
import type { Dense } from "./weights.ts";

/** ONNX Runtime's attention kernels on CUDA read eight half-precision numbers at once: a head's size must be a multiple of it. */
const CUDA_ALIGNMENT = 8;
/** What a padded position's key gets in the extra component: its score falls by this over sqrt(head size), and exp of it is 0. */
const PADDING_KEY = 30_000;
const MASKED_KEYS = "attention.masked_keys";
/** Whether every text of the batch is as long as the longest. */
const NO_PADDING = "attention.no_padding";
/** Places of query, key and value among the columns of the joined projection. */
const PART = { query: 0, key: 1, value: 2 } as const;

/** Components added to each head of query and key: one, on CUDA as many as its kernels' alignment asks for; all but the first are 0. */
function extraComponents({ precision, config }: GraphContext): number {
  const size = config.hiddenSize / config.headCount;
  return precision === "fp16" ? CUDA_ALIGNMENT - (size % CUDA_ALIGNMENT) : 1;
}

/** Adds the tensor that marks padded positions in the extra component of each head's key, [batch x sequence x heads * (head size + 1)]. */
function prepareMaskedKeys(context: GraphContext): void {
  const { graph, config } = context;
  const size = config.hiddenSize / config.headCount;
  const width = size + extraComponents(context);
  const extra = new Float32Array(config.headCount * width);
  for (let head = 0; head < config.headCount; head++) extra[head * width + size] = PADDING_KEY;
  const mask = graph.node("Cast", {
    inputs: [GRAPH_NAMES.attentionMask],
    outputs: ["attention.mask"],
    attributes: [{ name: "to", i: context.precision === "fp16" ? ELEMENT_TYPE.float16 : ELEMENT_TYPE.float32 }],
  });
  const one = weights(context, "attention.one", [1], new Float32Array([1]));
  const padding = graph.node("Sub", { inputs: [mask, one], outputs: ["attention.padding"] });
  const axis = graph.constant("attention.axis", "int64", [1], new BigInt64Array([2n]));
  const column = graph.node("Unsqueeze", { inputs: [padding, axis], outputs: ["attention.padding_column"] });
  const components = weights(context, "attention.extra", [extra.length], extra);
  graph.node("Mul", { inputs: [column, components], outputs: [MASKED_KEYS] });
}

/** Adds the truth of a batch without padding: the least of its mask is 1. */
function prepareNoPadding({ graph }: GraphContext): void {
  const least = graph.node("ReduceMin", {
    inputs: [GRAPH_NAMES.attentionMask],
    outputs: ["attention.least_mask"],
    attributes: [{ name: "keepdims", i: 0 }],
  });
  graph.node("Cast", {
    inputs: [least],
    outputs: [NO_PADDING],
    attributes: [{ name: "to", i: ELEMENT_TYPE.bool }],
  });
}

/** Adds what every layer's attention shares, once a graph. */
export function prepareAttention(context: GraphContext): void {
  prepareMaskedKeys(context);
  if (context.precision !== "fp16") prepareNoPadding(context);
}

/** Components added to each head: the first one of a constant value, the others 0. */
type Extra = { readonly count: number; readonly bias: number };

/** The columns of one part of the joined projection, each head widened by `extra`. */
function partOf(joined: Dense, headCount: number, part: number, extra: Extra): Dense {
  const hidden = joined.inputCount;
  const size = hidden / headCount;
  const width = size + extra.count;
  const outputCount = headCount * width;
  const matrix = new Float32Array(hidden * outputCount);
  const bias = new Float32Array(outputCount);
  for (let head = 0; head < headCount; head++) {
    const from = part * hidden + head * size;
    const to = head * width;
    bias.set(joined.bias.subarray(from, from + size), to);
    if (extra.count > 0) bias[to + size] = extra.bias;
    for (let row = 0; row < hidden; row++) {
      const source = row * joined.outputCount + from;
      matrix.set(joined.matrix.subarray(source, source + size), row * outputCount + to);
    }
  }
  return { matrix, bias, inputCount: hidden, outputCount };
}

/** What a layer's attention reads: its input, the joined projection, and the values, which are the same with and without padding. */
type Source = { readonly input: Operand; readonly joined: Dense; readonly value: string };

/** The fused kernel; with components added to each head of query and key, padding is marked in them. */
function attend(context: GraphContext, name: string, { input, joined, value }: Source, extraCount: number): string {
  const { graph, config } = context;
  const project = (part: "query" | "key", bias: number): string =>
    dense(context, `${name}.${part}`, input, partOf(joined, config.headCount, PART[part], { count: extraCount, bias }));
  const query = project("query", 1);
  const plainKey = project("key", 0);
  const key =
    extraCount === 0
      ? plainKey
      : graph.node("Add", { inputs: [plainKey, MASKED_KEYS], outputs: [`${name}.masked_key`] });
  return graph.fused("MultiHeadAttention", {
    inputs: [query, key, value],
    outputs: [name],
    attributes: [
      { name: "num_heads", i: config.headCount },
      { name: "scale", f: 1 / Math.sqrt(config.hiddenSize / config.headCount) },
    ],
  });
}

/**
 * Self-attention, [batch x sequence x hidden] to the same. `joined` has query, key and value side by side.
 *
 * ONNX Runtime's blockwise ("flash") attention on the CPU takes no mask, nor does its memory-efficient one on CUDA. So each head has one component
 * more: 1 in every query, 0 in the key of a real token and `-PADDING_KEY` in that of a padded one, which gives padding the weight 0. Against the
 * masked kernel that is 9 % of an int8 inference at 190 tokens and a third at 256; on an H100 in fp16 1.8 times the tokens a second at 190.
 *
 * On the CPU a batch without padding is computed without these components: 3 % of an inference. On CUDA a choice would wait for the device.
 */
export function attention(context: GraphContext, name: string, input: Operand, joined: Dense): string {
  const values = partOf(joined, context.config.headCount, PART.value, { count: 0, bias: 0 });
  const source = { input, joined, value: dense(context, `${name}.value`, input, values) };
  const extraCount = extraComponents(context);
  if (context.precision === "fp16") return attend(context, name, source, extraCount);
  return context.graph.choose(NO_PADDING, name, {
    type: "float32",
    whenTrue: (graph) => attend({ ...context, graph }, `${name}.unpadded`, source, 0),
    whenFalse: (graph) => attend({ ...context, graph }, `${name}.padded`, source, extraCount),
  });
}
