import { dot } from "./dot.ts";

/** Published weight of likeness against centrality: 0.3 to 0.5 (Carbonell and Goldstein 1998). */
const DIVERSITY = 0.4;

/** Places of vectors in the order in which maximal marginal relevance against their centroid (Radev et al. 2004) takes them. */
export function centroidMmr(vectors: readonly Float32Array[]): readonly number[] {
  const centroid = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) vector.forEach((value, index) => (centroid[index] = (centroid[index] ?? 0) + value));
  const norm = Math.hypot(...centroid) || 1;
  const centrality = vectors.map((vector) => dot(vector, centroid) / norm);
  const likeness = vectors.map(() => 0);
  const left = new Set(vectors.keys());
  const order: number[] = [];
  while (left.size > 0) {
    let best = -1;
    let bestScore = -Infinity;
    for (const index of left) {
      const score = (1 - DIVERSITY) * (centrality[index] ?? 0) - DIVERSITY * (likeness[index] ?? 0);
      if (score > bestScore) [best, bestScore] = [index, score];
    }
    left.delete(best);
    order.push(best);
    const taken = vectors[best];
    for (const index of left)
      likeness[index] = Math.max(likeness[index] ?? 0, dot(taken ?? centroid, vectors[index] ?? centroid));
  }
  return order;
}
