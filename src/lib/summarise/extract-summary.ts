/** A sentence that may stand in a summary. */
export interface Sentence {
  readonly text: string;
  /** Unit vector. */
  readonly vector: Float32Array;
  /** How much there is to stand for: at most 1 for a sentence, the sum of what it stood for where it comes from a summary. */
  readonly weight: number;
  /** 0 to 1: how well it can stand for others. A question says less than an answer. */
  readonly fitness: number;
}

export interface SummaryOptions {
  readonly sentencesMax: number;
  /** Characters of the sentences together. */
  readonly charactersMax: number;
}

/** A chosen sentence, by its place among those given, with the weight of all that are nearer to it than to any other chosen one. */
export interface ChosenSentence {
  readonly index: number;
  readonly stoodFor: number;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

/** Cosines of all pairs, a row for each sentence, negative ones as 0: opposites stand for each other no more than strangers do. */
function likenessOf(sentences: readonly Sentence[]): readonly Float32Array[] {
  const rows = sentences.map(() => new Float32Array(sentences.length));
  for (const [index, { vector }] of sentences.entries()) {
    for (let other = index; other < sentences.length; other++) {
      const likeness = Math.max(0, dot(vector, sentences[other]?.vector ?? vector));
      for (const [row, column] of [
        [index, other],
        [other, index],
      ] as const) {
        const cells = rows[row];
        if (cells !== undefined) cells[column] = likeness;
      }
    }
  }
  return rows;
}

/** What a sentence with this row of likenesses would add to what is stood for already. */
function gainOf(sentences: readonly Sentence[], row: Float32Array, covered: Float32Array): number {
  let gain = 0;
  for (let other = 0; other < row.length; other++) {
    const more = (row[other] ?? 0) - (covered[other] ?? 0);
    if (more > 0) gain += (sentences[other]?.weight ?? 0) * more;
  }
  return gain;
}

/**
 * The chosen sentences in the order of the text: each next one is that which raises Σ weight · max(0, cosine to the nearest chosen one) most, while there is
 * room. This is the facility-location objective of Lin and Bilmes (A Class of Submodular Functions for Document Summarization, 2011): it is monotone
 * and submodular, so that taking the best each time comes within 1 − 1/e of the best choice (Nemhauser et al. 1978), and a second sentence on a matter
 * adds next to nothing. The earliest of equals wins; the same sentences give the same summary. Pure, O(n²) products of
 * vectors and O(chosen · n²) sums.
 */
export function extractSummary(sentences: readonly Sentence[], options: SummaryOptions): readonly ChosenSentence[] {
  const likeness = likenessOf(sentences);
  const covered = new Float32Array(sentences.length);
  const left = new Set(sentences.keys());
  const chosen: number[] = [];
  let room = options.charactersMax;
  while (chosen.length < options.sentencesMax) {
    let best: { readonly index: number; readonly gain: number } | undefined;
    for (const index of left) {
      if ((sentences[index]?.text.length ?? 0) > room) left.delete(index);
      else {
        const row = likeness[index] ?? covered;
        const gain = gainOf(sentences, row, covered) * (sentences[index]?.fitness ?? 0);
        if (gain > (best?.gain ?? 0)) best = { index, gain };
      }
    }
    const sentence = best === undefined ? undefined : sentences[best.index];
    if (best === undefined || sentence === undefined) break;
    left.delete(best.index);
    chosen.push(best.index);
    room -= sentence.text.length;
    for (const [other, value] of (likeness[best.index] ?? covered).entries())
      covered[other] = Math.max(covered[other] ?? 0, value);
  }
  return withShares(sentences, chosen);
}

/** Gives each sentence's weight to the chosen one that is nearest to it. */
function withShares(sentences: readonly Sentence[], chosen: readonly number[]): readonly ChosenSentence[] {
  const shares = new Map(chosen.toSorted((a, b) => a - b).map((index) => [index, 0]));
  if (chosen.length === 0) return [];
  for (const { vector, weight } of sentences) {
    let nearest: { readonly index: number; readonly likeness: number } | undefined;
    for (const index of shares.keys()) {
      const likeness = dot(vector, sentences[index]?.vector ?? vector);
      if (nearest === undefined || likeness > nearest.likeness) nearest = { index, likeness };
    }
    if (nearest !== undefined) shares.set(nearest.index, (shares.get(nearest.index) ?? 0) + weight);
  }
  return [...shares].map(([index, stoodFor]) => ({ index, stoodFor }));
}
