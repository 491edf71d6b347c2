import stem from "wink-porter2-stemmer";
import { STOP_WORDS } from "./stop-words.ts";

/** Changes whenever the same text may give other lexemes: stored ones must then be made anew. */
export const LEXICAL_VERSION = "1";

/** Dimensions of the lexeme space. 2^29 keeps a collision among 100 thousand different stems at about 1 in 5,000 for each of them. */
export const LEXEME_DIMENSIONS = 2 ** 29;

/** Marks a word that is not indexed. */
export const NO_LEXEME = 0;

/** UTF-16 units of a word that count: what is longer is noise (base64, hashes run together) and matches by its beginning. */
const WORD_LENGTH_MAX = 64;
const ENGLISH_WORD = /^[a-z]+$/;

/**
 * Dimension (1..2^29) of a stem: FNV-1a over its UTF-16 units, low byte first, finished with murmur3's mixer so that the upper
 * 29 bits depend on all of them. Part of the stored format: never change it without raising LEXICAL_VERSION.
 */
export function dimensionOf(stemmed: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stemmed.length; index++) {
    const unit = stemmed.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 3) + 1;
}

/** Lower case without compatibility forms and Latin accents: "Ｃafé" and "cafe" are one word. */
export function foldWord(word: string): string {
  const folded = word
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .toLowerCase();
  return folded.length > WORD_LENGTH_MAX ? folded.slice(0, WORD_LENGTH_MAX) : folded;
}

/** Stem of a folded word, or '' for a stop word. Only plain English words are stemmed; numbers and names in other scripts stay. */
export function stemOf(folded: string): string {
  if (STOP_WORDS.has(folded)) return "";
  return ENGLISH_WORD.test(folded) ? stem(folded) : folded;
}
