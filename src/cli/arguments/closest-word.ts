/** Edits at most between what was typed and what is suggested: more and the suggestion is a guess. */
const EDITS_MAX = 2;

/** The known word that is likely meant, or undefined: one that begins with it, or one at most two edits away. Pure. */
export function closestWord(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
    .sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1));
  const [best] = ranked;
  if (best !== undefined && best.edits <= Math.min(EDITS_MAX, Math.floor(word.length / 2))) return best.candidate;
  return word.length >= 2 ? known.find((candidate) => candidate.startsWith(word)) : undefined;
}

/** Levenshtein distance by rows. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
