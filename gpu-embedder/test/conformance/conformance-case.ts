import type { Target } from "./target.ts";

/**
 * One promise. `contract`: text-embeddings-inference keeps it too, and OpenAI's clients count on it. `stricter`: a promise of this
 * server alone. `run` rejects where it is broken.
 */
export type ConformanceCase = {
  readonly name: string;
  readonly level: "contract" | "stricter";
  /** Where the promise is written. */
  readonly clause: string;
  run(target: Target): Promise<void>;
};
