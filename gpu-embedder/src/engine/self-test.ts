import type { EmbeddingEngine } from "./embedding-engine.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** Two sentences of one meaning and one of another: any sentence encoder that works puts the first two nearer. */
const SENTENCES = [
  "A man is playing a guitar.",
  "Someone plays the guitar.",
  "The stock market fell sharply on Monday.",
] as const;
const UNIT_LENGTH_TOLERANCE = 1e-3;

function dot(a: Float32Array | undefined, b: Float32Array | undefined): number {
  return a === undefined || b === undefined
    ? Number.NaN
    : a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

/** What the test found wrong, or undefined. It has not run where the engine took no requests: its queue was full, or it drains. */
export type SelfTestOutcome = { readonly ran: boolean; readonly fault: string | undefined };

function faultOf(vectors: readonly Float32Array[], dimensions: number): string | undefined {
  const [first, second, third] = vectors;
  if (first?.length !== dimensions) return "vectors have another number of dimensions than the model says";
  if (!(Math.abs(dot(first, first) - 1) < UNIT_LENGTH_TOLERANCE)) return "vectors are not of unit length";
  return dot(first, second) > dot(first, third) ? undefined : "vectors do not follow meaning";
}

/** Embeds fixed sentences and judges the vectors. Warms both lanes' sessions as it goes. */
export async function selfTest(
  engine: EmbeddingEngine,
  tokenizer: TextTokenizer,
  dimensions: number,
): Promise<SelfTestOutcome> {
  const texts = await Promise.all(SENTENCES.map((sentence) => tokenizer.encode(sentence)));
  const signal = new AbortController().signal;
  const [outcome] = await Promise.all(
    (["interactive", "bulk"] as const).map((lane) => engine.embed({ texts, lane, normalize: true, signal })),
  );
  if (outcome === undefined || !outcome.ok)
    return { ran: outcome?.error.code === "inference_failed", fault: "inference failed" };
  return { ran: true, fault: faultOf(outcome.value.vectors, dimensions) };
}
