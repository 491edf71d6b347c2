/** UTF-16 units from which V8 keeps a slice as a window into its parent text. */
const SLICE_LENGTH_MIN = 13;

/**
 * Remembers a value per word in two generations: when the young one is full it becomes the old one, so memory is bounded and words in
 * use stay. Keys do not keep the text alive that they were cut from.
 */
export class WordMemo<V extends object | number> {
  readonly #wordsMax: number;
  readonly #wordLengthMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** `wordsMax` words a generation; words of more than `wordLengthMax` UTF-16 units are computed each time. */
  constructor(wordsMax: number, wordLengthMax: number) {
    this.#wordsMax = wordsMax;
    this.#wordLengthMax = wordLengthMax;
  }

  get(word: string, compute: (word: string) => V): V {
    const known = this.#young.get(word);
    if (known !== undefined) return known;
    if (word.length > this.#wordLengthMax) return compute(word);
    const value = this.#old.get(word) ?? compute(word);
    if (this.#young.size >= this.#wordsMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(word.length < SLICE_LENGTH_MIN ? word : word.split("").join(""), value);
    return value;
  }
}
