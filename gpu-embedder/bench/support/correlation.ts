/** 1 minus the cosine of two vectors, in double precision. Pure. */
export function cosineDistance(a: Float32Array, b: Float32Array): number {
  let [dot, squareA, squareB] = [0, 0, 0];
  a.forEach((value, index) => {
    const other = b[index] ?? 0;
    dot += value * other;
    squareA += value * value;
    squareB += other * other;
  });
  return 1 - dot / Math.sqrt(squareA * squareB);
}

/** Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. Pure. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(ranks(a), ranks(b));
}

function ranks(values: readonly number[]): readonly number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const result: number[] = [];
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let position = start; position < end; position++) result[order[position] ?? 0] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanA = meanOf(a);
  const meanB = meanOf(b);
  let [product, squareA, squareB] = [0, 0, 0];
  a.forEach((value, index) => {
    const other = (b[index] ?? 0) - meanB;
    product += (value - meanA) * other;
    squareA += (value - meanA) ** 2;
    squareB += other ** 2;
  });
  return product / Math.sqrt(squareA * squareB);
}
