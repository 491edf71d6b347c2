import { InferenceSession, Tensor } from "onnxruntime-node";
import { assert, present } from "../base/assert.ts";
import { observedName, type ActivationRange, type ActivationRanges, type LayerRanges } from "./activation-ranges.ts";
import { GRAPH_NAMES } from "./graph-context.ts";

const PRODUCTS = [
  "queryKeyValue",
  "attentionOutput",
  "intermediate",
  "output",
] as const satisfies readonly (keyof LayerRanges)[];

function widened([least, greatest]: ActivationRange, values: Float32Array): ActivationRange {
  let [low, high] = [least, greatest];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/**
 * Runs token lists, one after another, through an observed graph in fp32 and gives the range of what each product reads. Every range holds 0.
 * `layerCount` is the number of its encoder layers.
 */
export async function observeRanges(
  graph: Uint8Array,
  layerCount: number,
  texts: readonly Int32Array[],
): Promise<ActivationRanges> {
  const session = await InferenceSession.create(graph, { executionProviders: ["cpu"] });
  const ranges = new Map<string, ActivationRange>();
  const names = Array.from({ length: layerCount }, (_, index) =>
    PRODUCTS.map((product) => observedName(index, product)),
  );
  for (const text of texts) {
    const shape = [1, text.length];
    const outputs = await session.run(
      {
        [GRAPH_NAMES.tokenIds]: new Tensor("int32", text, shape),
        [GRAPH_NAMES.attentionMask]: new Tensor("int32", new Int32Array(text.length).fill(1), shape),
      },
      names.flat(),
    );
    for (const name of names.flat()) {
      const values = present(outputs[name], "an observed graph shows what its products read").data;
      assert(values instanceof Float32Array, "observed tensors are float32");
      ranges.set(name, widened(ranges.get(name) ?? [0, 0], values));
    }
  }
  await session.release();
  const rangeOf = (index: number, product: keyof LayerRanges): ActivationRange =>
    ranges.get(observedName(index, product)) ?? [0, 0];
  return names.map((_, index) => ({
    queryKeyValue: rangeOf(index, "queryKeyValue"),
    attentionOutput: rangeOf(index, "attentionOutput"),
    intermediate: rangeOf(index, "intermediate"),
    output: rangeOf(index, "output"),
  }));
}
