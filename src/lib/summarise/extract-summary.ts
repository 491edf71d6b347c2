/** A sentence that may stand in a summary. */
export interface Sentence {
  readonly text: string;
  /** Unit vector. */
  readonly vector: Float32Array;
  /** What the sentence is part of: the id of an event or of another summary. */
  readonly memberId: string;
}

export interface SummaryOptions {
  readonly sentencesMax: number;
  /** Characters of the summary, the spaces between its sentences included. */
  readonly charactersMax: number;
  /**
   * 0: the most central sentences however alike; towards 1: each further one has to be unlike those before it. Published values lie between 0.3 and 0.5
   * (Carbonell and Goldstein 1998).
   */
  readonly diversity: number;
}

/** A chosen sentence with the members whose sentences are nearer to it than to any other chosen one. */
export interface SummarySentence {
  readonly text: string;
  readonly memberId: string;
  readonly stoodFor: readonly string[];
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

/** Mean of the vectors, not normalised: its direction is what matters. */
function centroidOf(sentences: readonly Sentence[]): Float32Array {
  const centroid = new Float32Array(sentences[0]?.vector.length ?? 0);
  for (const { vector } of sentences)
    vector.forEach((value, index) => (centroid[index] = (centroid[index] ?? 0) + value));
  return centroid.map((value) => value / sentences.length);
}

/** The index that scores best; the earliest of equals. */
function bestOf(candidates: ReadonlySet<number>, scoreOf: (index: number) => number): number | undefined {
  let best: { readonly index: number; readonly score: number } | undefined;
  for (const index of candidates) {
    const score = scoreOf(index);
    if (best === undefined || score > best.score) best = { index, score };
  }
  return best?.index;
}

/** Indexes of the chosen sentences, in the order of the text. */
function choose(sentences: readonly Sentence[], options: SummaryOptions): readonly number[] {
  const centroid = centroidOf(sentences);
  const centrality = sentences.map(({ vector }) => dot(vector, centroid));
  const likeness = sentences.map(() => 0);
  const left = new Set(sentences.keys());
  const chosen: number[] = [];
  let characters = 0;
  while (chosen.length < options.sentencesMax) {
    const room = options.charactersMax - characters - (chosen.length > 0 ? 1 : 0);
    for (const index of left) if ((sentences[index]?.text.length ?? 0) > room) left.delete(index);
    const next = bestOf(
      left,
      (index) => (1 - options.diversity) * (centrality[index] ?? 0) - options.diversity * (likeness[index] ?? 0),
    );
    const sentence = next === undefined ? undefined : sentences[next];
    if (next === undefined || sentence === undefined) break;
    left.delete(next);
    characters += sentence.text.length + (chosen.length > 0 ? 1 : 0);
    chosen.push(next);
    for (const index of left) {
      const other = sentences[index];
      if (other !== undefined) likeness[index] = Math.max(likeness[index] ?? 0, dot(sentence.vector, other.vector));
    }
  }
  return chosen.sort((a, b) => a - b);
}

/**
 * The sentences that stand nearest to what the whole is about, each unlike those chosen before it (maximal marginal relevance against the centroid), in the
 * order of the text. Every member is stood for by the chosen sentence that is nearest to one of its own. The same sentences give the same summary. Pure, O(n · chosen).
 */
export function extractSummary(sentences: readonly Sentence[], options: SummaryOptions): readonly SummarySentence[] {
  const chosen = choose(sentences, options);
  const nearest = new Map<string, { readonly chosen: number; readonly likeness: number }>();
  for (const { vector, memberId } of sentences) {
    for (const index of chosen) {
      const likeness = dot(vector, sentences[index]?.vector ?? vector);
      if (likeness > (nearest.get(memberId)?.likeness ?? -Infinity)) nearest.set(memberId, { chosen: index, likeness });
    }
  }
  return chosen.flatMap((index) => {
    const sentence = sentences[index];
    if (sentence === undefined) return [];
    const stoodFor = [...nearest].flatMap(([memberId, place]) => (place.chosen === index ? [memberId] : []));
    return [{ text: sentence.text, memberId: sentence.memberId, stoodFor }];
  });
}
