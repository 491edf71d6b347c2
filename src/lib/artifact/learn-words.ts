/** Chooses the words that a dictionary's texts are coded with. */
import type { TextCoder } from "./columns/column-context.ts";
import { TOKENS, WORD_BYTES_MAX, WORDS_MAX } from "./columns/word-code.ts";

/** A word of fewer occurrences saves less than it costs in the dictionary. */
const OCCURRENCES_MIN = 4;
/** Bytes that a word is coded with: one or two. */
const CODE_BYTES = 1.5;
/** Different tokens that are counted: beyond it only known ones are, since names and numbers go on without end. About 16 MB. */
const COUNTED_MAX = 100_000;

/** Counts the words of texts that a block would be coded of: a coder whose bytes are none. Holds no text. */
export class WordCounter implements TextCoder {
  readonly #counts = new Map<string, number>();

  encode(texts: readonly string[]): Uint8Array {
    for (const text of texts) {
      for (const [token] of text.matchAll(TOKENS)) {
        if (token.length < 2 || token.length > WORD_BYTES_MAX) continue;
        const count = this.#counts.get(token);
        if (count !== undefined || this.#counts.size < COUNTED_MAX) this.#counts.set(token, (count ?? 0) + 1);
      }
    }
    return new Uint8Array();
  }

  /** The words that save most, of `bytesMax` bytes in a dictionary at most; the most frequent first. The same counts give the same words. */
  words(bytesMax: number): readonly string[] {
    const candidates = [...this.#counts]
      .map(([word, count]) => ({ word, count, bytes: new TextEncoder().encode(word).length }))
      .filter(({ count, bytes }) => count >= OCCURRENCES_MIN && bytes <= WORD_BYTES_MAX)
      .map((candidate) => ({ ...candidate, saved: candidate.count * (candidate.bytes - CODE_BYTES) }))
      .toSorted((a, b) => b.saved - a.saved || compare(a.word, b.word));
    const chosen: typeof candidates = [];
    let left = bytesMax;
    for (const candidate of candidates) {
      left -= candidate.bytes + 1;
      if (left < 0 || chosen.length >= WORDS_MAX) break;
      chosen.push(candidate);
    }
    return chosen.toSorted((a, b) => b.count - a.count || compare(a.word, b.word)).map(({ word }) => word);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
