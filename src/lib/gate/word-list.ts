import { COMPARED_WORDS_MAX } from "./measure-repetition.ts";
import { isLorem, isStopWord } from "./word-sets.ts";

/**
 * The words of one text: their counts, and hashes and lengths of those by which repetition is measured: the first `COMPARED_WORDS_MAX`
 * that are not signs alone, since the bars and dashes of a table repeat by right.
 */
export class WordList {
  #hashes = new Int32Array(1024);
  #lengths = new Int32Array(1024);
  #compared = 0;
  count = 0;
  withLetters = 0;
  /** UTF-16 units of all words. */
  units = 0;
  stopWords = 0;
  lorem = 0;

  reset(): void {
    this.#compared = this.count = this.withLetters = this.units = this.stopWords = this.lorem = 0;
  }

  /** `length` is in UTF-16 units; `hash` is 0 for a word of signs alone. */
  add(hash: number, length: number, hasLetter: boolean): void {
    if (hash !== 0 && this.#compared < COMPARED_WORDS_MAX) {
      if (this.#compared === this.#hashes.length) this.#grow();
      this.#hashes[this.#compared] = hash;
      this.#lengths[this.#compared++] = length;
    }
    this.count++;
    this.units += length;
    if (!hasLetter) return;
    this.withLetters++;
    if (isStopWord(hash)) this.stopWords++;
    else if (isLorem(hash)) this.lorem++;
  }

  #grow(): void {
    const hashes = new Int32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const lengths = new Int32Array(this.#lengths.length * 2);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }

  get compared(): { readonly hashes: Int32Array; readonly lengths: Int32Array } {
    return { hashes: this.#hashes.subarray(0, this.#compared), lengths: this.#lengths.subarray(0, this.#compared) };
  }
}
