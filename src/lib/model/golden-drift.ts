/** How far vectors of one list of texts have moved. Pure. */

/** Cosines of the pairs. */
export interface GoldenDrift {
  readonly minCosine: number;
  readonly meanCosine: number;
  /** Place in the list of the text that moved most. */
  readonly worstIndex: number;
}

/** Drift of one list of vectors against another of the same length, unit vectors or not. Vectors of different lengths are 0 to each other. */
export function goldenDrift(before: readonly Float32Array[], after: readonly Float32Array[]): GoldenDrift {
  const cosines = before.map((vector, index) => cosine(vector, after[index] ?? new Float32Array(0)));
  const minCosine = Math.min(1, ...cosines);
  const sum = cosines.reduce((total, value) => total + value, 0);
  return {
    minCosine,
    meanCosine: cosines.length === 0 ? 1 : sum / cosines.length,
    worstIndex: Math.max(0, cosines.indexOf(minCosine)),
  };
}

function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0;
  let product = 0;
  let squaresOfA = 0;
  let squaresOfB = 0;
  for (let index = 0; index < a.length; index += 1) {
    const [x, y] = [a[index] ?? 0, b[index] ?? 0];
    product += x * y;
    squaresOfA += x * x;
    squaresOfB += y * y;
  }
  const lengths = Math.sqrt(squaresOfA * squaresOfB);
  return lengths > 0 ? Math.min(1, product / lengths) : 0;
}
