/** Longest word compared letter by letter: longer "words" are codes, where every character counts. */
const LETTERS_MAX = 40;

/**
 * Letters inserted, deleted, replaced or swapped with their neighbour between two words (optimal string alignment; Damerau 1964, 80 % of
 * typing errors are one of these). Stops counting above `distanceMax` and returns `distanceMax + 1`. O(length²), length at most 40.
 */
export function editDistance(a: string, b: string, distanceMax: number): number {
  if (a === b) return 0;
  const tooFar = distanceMax + 1;
  if (Math.abs(a.length - b.length) > distanceMax || a.length > LETTERS_MAX || b.length > LETTERS_MAX) return tooFar;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isEqual = a[row - 1] === b[column - 1];
      let best = (last[column - 1] ?? 0) + (isEqual ? 0 : 1);
      best = Math.min(best, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    if (Math.min(...current) > distanceMax) return tooFar;
    beforeLast = last;
    last = current;
  }
  return Math.min(last[b.length] ?? tooFar, tooFar);
}
