/** ROUGE recall (Lin 2004): how much of the reference is in the summary. */
import { foldWord, stemOf } from "../../src/lib/lexical/lexeme.ts";

/** Stemmed words without function words, which any two texts share. */
export function rougeTokens(text: string): readonly string[] {
  return (text.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => stemOf(foldWord(word))).filter((stem) => stem !== "");
}

/** Share of the reference's words that the summary holds, each as often as it does. */
export function rouge1Recall(summary: readonly string[], reference: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of summary) left.set(word, (left.get(word) ?? 0) + 1);
  let found = 0;
  for (const word of reference) {
    const count = left.get(word) ?? 0;
    if (count > 0) {
      found += 1;
      left.set(word, count - 1);
    }
  }
  return reference.length === 0 ? 0 : found / reference.length;
}

/** Length of the longest common subsequence as a share of the reference. */
export function rougeLRecall(summary: readonly string[], reference: readonly string[]): number {
  let before = new Uint32Array(reference.length + 1);
  for (const word of summary) {
    const now = new Uint32Array(reference.length + 1);
    for (const [index, other] of reference.entries())
      now[index + 1] = word === other ? (before[index] ?? 0) + 1 : Math.max(before[index + 1] ?? 0, now[index] ?? 0);
    before = now;
  }
  return reference.length === 0 ? 0 : (before.at(-1) ?? 0) / reference.length;
}
