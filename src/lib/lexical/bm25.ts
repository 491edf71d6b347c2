/** Parameters of BM25 (Robertson and Zaragoza 2009), at the values most engines ship. */
export const BM25_K1 = 1.2;
export const BM25_B = 0.75;

/** Inverse document frequency as Lucene has it: positive for every term, also one that stands in every chunk. */
export function inverseDocumentFrequency(chunkCount: number, frequency: number): number {
  return Math.log(1 + (chunkCount - frequency + 0.5) / (frequency + 0.5));
}

/**
 * Score of one chunk: Σ over terms of queryCount · idf · count · (k1 + 1) / (count + k1 · (1 − b + b · length / averageLength)).
 * The same formula stands in SQL; this one is what it is tested against.
 */
export function bm25(
  terms: readonly { readonly queryCount: number; readonly idf: number; readonly count: number }[],
  length: number,
  averageLength: number,
): number {
  const damping = BM25_K1 * (1 - BM25_B + (BM25_B * length) / averageLength);
  return terms.reduce(
    (score, term) =>
      term.count === 0
        ? score
        : score + (term.queryCount * term.idf * term.count * (BM25_K1 + 1)) / (term.count + damping),
    0,
  );
}
