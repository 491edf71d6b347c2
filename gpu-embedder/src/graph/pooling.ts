import { GRAPH_NAMES, type GraphContext } from "./graph-context.ts";
import { ELEMENT_TYPE } from "./graph-writer.ts";

/** Mean over the unmasked positions as one matrix product with the mask: [batch, 1, sequence] x [batch, sequence, hidden]. */
function meanPool({ graph }: GraphContext, hidden: string): string {
  const axis = graph.constant("axis_1", "int64", [1], new BigInt64Array([1n]));
  const mask = graph.node("Cast", {
    inputs: [GRAPH_NAMES.attentionMask],
    outputs: ["mask"],
    attributes: [{ name: "to", i: ELEMENT_TYPE.float32 }],
  });
  const row = graph.node("Unsqueeze", { inputs: [mask, axis], outputs: ["mask_row"] });
  const sumRow = graph.node("MatMul", { inputs: [row, hidden], outputs: ["sum_row"] });
  const sum = graph.node("Squeeze", { inputs: [sumRow, axis], outputs: ["sum"] });
  const count = graph.node("ReduceSum", {
    inputs: [mask, axis],
    outputs: ["count"],
    attributes: [{ name: "keepdims", i: 1 }],
  });
  return graph.node("Div", { inputs: [sum, count], outputs: [GRAPH_NAMES.pooled] });
}

function clsPool({ graph }: GraphContext, hidden: string): string {
  const first = graph.constant("index_0", "int64", [], new BigInt64Array([0n]));
  return graph.node("Gather", {
    inputs: [hidden, first],
    outputs: [GRAPH_NAMES.pooled],
    attributes: [{ name: "axis", i: 1 }],
  });
}

/** Pools the last layer, in float32 whatever the layers computed in, and normalises to unit length. */
export function poolAndNormalize(context: GraphContext, hidden: string): void {
  const { graph, config } = context;
  const states =
    context.precision === "fp16"
      ? graph.node("Cast", {
          inputs: [hidden],
          outputs: ["states"],
          attributes: [{ name: "to", i: ELEMENT_TYPE.float32 }],
        })
      : hidden;
  const pooled = config.pooling === "cls" ? clsPool(context, states) : meanPool(context, states);
  graph.node("LpNormalization", {
    inputs: [pooled],
    outputs: [GRAPH_NAMES.embedding],
    attributes: [
      { name: "axis", i: -1 },
      { name: "p", i: 2 },
    ],
  });
  graph.output(GRAPH_NAMES.pooled, "float32", ["batch", config.hiddenSize]);
  graph.output(GRAPH_NAMES.embedding, "float32", ["batch", config.hiddenSize]);
}
