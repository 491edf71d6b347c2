import type { TextTokenizer } from "./tokenizer.ts";

/** The first (`right` is cut off) or the last tokens of a text that is longer than `tokensMax`, its special tokens kept. */
export function truncateIds(
  ids: Int32Array,
  { prefix, suffix }: Pick<TextTokenizer, "prefix" | "suffix">,
  { tokensMax, side }: { readonly tokensMax: number; readonly side: "left" | "right" },
): Int32Array<ArrayBuffer> {
  if (ids.length <= tokensMax) return Int32Array.from(ids);
  const kept = tokensMax - prefix.length - suffix.length;
  const content = ids.subarray(prefix.length, ids.length - suffix.length);
  const part = side === "right" ? content.subarray(0, kept) : content.subarray(content.length - kept);
  return Int32Array.from([...prefix, ...part, ...suffix]);
}
