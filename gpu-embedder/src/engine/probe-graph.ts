import { GraphWriter } from "../graph/graph-writer.ts";

export const PROBE_NAMES = { input: "x", output: "y" } as const;

/** The smallest graph that has something to compute: y = x + x, float32 of [1 x 2]. */
export function probeGraph(): Uint8Array {
  const graph = new GraphWriter();
  graph.input(PROBE_NAMES.input, "float32", [1, 2]);
  graph.node("Add", { inputs: [PROBE_NAMES.input, PROBE_NAMES.input], outputs: [PROBE_NAMES.output] });
  graph.output(PROBE_NAMES.output, "float32", [1, 2]);
  return graph.encode("1", []);
}
