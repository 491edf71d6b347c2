/** BM25 in its plainest form, over whole documents in memory: no stop list, no stemming, no chunks. The opponent in the table. */
export class PlainBm25 {
  readonly #documents: readonly {
    readonly id: string;
    readonly counts: ReadonlyMap<string, number>;
    readonly length: number;
  }[];
  readonly #frequencies = new Map<string, number>();
  readonly #averageLength: number;

  constructor(documents: readonly { readonly id: string; readonly text: string }[]) {
    this.#documents = documents.map(({ id, text }) => {
      const words = wordsOf(text);
      const counts = new Map<string, number>();
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
      for (const word of counts.keys()) this.#frequencies.set(word, (this.#frequencies.get(word) ?? 0) + 1);
      return { id, counts, length: words.length };
    });
    this.#averageLength = this.#documents.reduce((sum, { length }) => sum + length, 0) / Math.max(1, documents.length);
  }

  /** Ids of the documents that hold a word of the query, best first. k1 1.2, b 0.75. */
  rank(query: string): string[] {
    const words = wordsOf(query);
    return this.#documents
      .map((document, index) => ({ id: document.id, index, score: this.#score(words, document) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .map(({ id }) => id);
  }

  #score(
    words: readonly string[],
    document: { readonly counts: ReadonlyMap<string, number>; readonly length: number },
  ): number {
    const damping = 1.2 * (0.25 + (0.75 * document.length) / this.#averageLength);
    return words.reduce((score, word) => {
      const count = document.counts.get(word);
      if (count === undefined) return score;
      const frequency = this.#frequencies.get(word) ?? 0;
      const idf = Math.log(1 + (this.#documents.length - frequency + 0.5) / (frequency + 0.5));
      return score + (idf * count * 2.2) / (count + damping);
    }, 0);
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}
