import { HashCounter } from "./hash-counter.ts";

/** Words of one text that are compared with each other: about 400 KB of English. The rest of a longer text does not change the measures. */
export const COMPARED_WORDS_MAX = 65_536;

/** Repetition of words. Shares are of the units of all compared words, as Gopher has them (Rae et al. 2021, appendix A1.1). */
export interface Repetition {
  /** Occurrences of the most frequent word, and how many words were compared. */
  readonly topWordCount: number;
  readonly words: number;
  /** Share covered by the occurrences of the most frequent n-gram, for n = 2, 3, 4; 0 where none occurs twice. */
  readonly topShares: readonly [number, number, number];
  /** Share that lies in n-grams which occurred before, each unit counted once, for n = 5 to 10. */
  readonly duplicateShares: readonly [number, number, number, number, number, number];
}

export const NO_REPETITION: Repetition = {
  topWordCount: 0,
  words: 0,
  topShares: [0, 0, 0],
  duplicateShares: [0, 0, 0, 0, 0, 0],
};

/** Multiplier of the polynomial over word hashes: odd and large, so that the order of words counts. */
const BASE = 0x01000193;
const SIZE_MAX = 10;

// Kept between calls, up to 1 MB: allocating them costs more than measuring a short text. A measurement never yields while it uses them.
const COUNTER = new HashCounter(COMPARED_WORDS_MAX);
const REPEATED = new Uint8Array(COMPARED_WORDS_MAX + 1);
const POSITIONS = new Int32Array(COMPARED_WORDS_MAX);

/**
 * Measures the repetition of words and word n-grams. `hashes` and `lengths` are of the words in their order; both are used up. An n-gram
 * that occurs twice holds two shorter ones that do, so each size looks only at the positions that the size before left: O(words) for the
 * single words, and little more in a text that does not repeat itself.
 */
export function measureRepetition(hashes: Int32Array, lengths: Int32Array): Repetition {
  const count = hashes.length;
  let units = 0;
  for (let position = 0; position < count; position++) {
    POSITIONS[position] = position;
    units += lengths[position] ?? 0;
  }
  const words = hashes.slice();
  const wordLengths = lengths.slice();
  const topShares: [number, number, number] = [0, 0, 0];
  const duplicateShares: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0];
  let left = count;
  let topWordCount = 0;
  for (let size = 1; size <= SIZE_MAX && left > 0; size++) {
    if (size > 1) left = extend({ hashes, lengths, words, wordLengths, size, left });
    const top = markRepeated(hashes, lengths, left);
    if (size === 1) topWordCount = top.count;
    else if (size <= 4) topShares[size - 2] = Math.min(units, top.units) / units;
    else duplicateShares[size - 5] = duplicateUnits(hashes, lengths, size, left) / units;
  }
  return { topWordCount, words: count, topShares, duplicateShares };
}

interface Extension {
  /** Hash and length of the n-gram at each position. */
  readonly hashes: Int32Array;
  readonly lengths: Int32Array;
  /** Those of single words. */
  readonly words: Int32Array;
  readonly wordLengths: Int32Array;
  readonly size: number;
  readonly left: number;
}

/** Makes n-grams one word longer where they and their right neighbours were repeated; returns how many positions are left. */
function extend({ hashes, lengths, words, wordLengths, size, left }: Extension): number {
  let kept = 0;
  for (let index = 0; index < left; index++) {
    const position = POSITIONS[index] ?? 0;
    const last = position + size - 1;
    if (last >= words.length || REPEATED[position] === 0 || REPEATED[position + 1] === 0) continue;
    hashes[position] = (Math.imul(hashes[position] ?? 0, BASE) + (words[last] ?? 0)) | 0;
    lengths[position] = (lengths[position] ?? 0) + (wordLengths[last] ?? 0);
    POSITIONS[kept++] = position;
  }
  return kept;
}

/** Marks the positions whose n-gram occurs more than once; returns count and units of the most frequent one (of several, the longest). */
function markRepeated(hashes: Int32Array, lengths: Int32Array, left: number): { count: number; units: number } {
  COUNTER.reset(left);
  for (let index = 0; index < left; index++) COUNTER.add(hashes[POSITIONS[index] ?? 0] ?? 0);
  REPEATED.fill(0, 0, hashes.length + 1);
  let count = 1;
  let length = 0;
  for (let index = 0; index < left; index++) {
    const position = POSITIONS[index] ?? 0;
    const occurrences = COUNTER.countOf(hashes[position] ?? 0);
    if (occurrences < 2) continue;
    REPEATED[position] = 1;
    const own = lengths[position] ?? 0;
    if (occurrences < count || (occurrences === count && own <= length)) continue;
    count = occurrences;
    length = own;
  }
  return { count, units: length === 0 ? 0 : count * length };
}

/** Units of n-grams that occurred before. What one n-gram covered is not counted again by the next. */
function duplicateUnits(hashes: Int32Array, lengths: Int32Array, size: number, left: number): number {
  COUNTER.reset(left);
  let units = 0;
  let coveredTo = 0;
  for (let index = 0; index < left; index++) {
    const position = POSITIONS[index] ?? 0;
    if (position < coveredTo || REPEATED[position] === 0) continue;
    if (COUNTER.add(hashes[position] ?? 0) === 1) continue;
    units += lengths[position] ?? 0;
    coveredTo = position + size;
  }
  return units;
}
