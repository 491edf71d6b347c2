import { WordMemo } from "../base/word-memo.ts";
import { dimensionOf, foldWord, NO_LEXEME, stemOf } from "./lexeme.ts";

/** Largest count kept per lexeme: one hexadecimal digit in the packed query, and BM25 is all but saturated there. */
export const LEXEME_COUNT_MAX = 15;
/** Different lexemes kept per text; pgvector stores at most 16,000, and a chunk has a few hundred. The first ones win. */
const LEXEMES_MAX = 4_096;
/** Words remembered in one generation of the memo; two generations are held, about 10 MB together. */
const MEMO_WORDS_MAX = 50_000;
/** UTF-16 units of a word worth remembering. */
const MEMO_WORD_LENGTH_MAX = 32;

/** The lexical side of one text. */
export interface Lexemes {
  /** Dimension (1..2^29) to count (1..15). */
  readonly counts: ReadonlyMap<number, number>;
  /** Lexemes of the text with repetitions, uncapped: the length that BM25 normalises by. */
  readonly lexemeCount: number;
}

const WORD = /[\p{L}\p{N}\p{M}]+(?:[._:/@#+-]{1,3}[\p{L}\p{N}\p{M}]+)*/gu;
const PART = /[\p{L}\p{N}\p{M}]+/gu;
const PLAIN = /^[A-Za-z]+$/;
const NAMED = /[\p{N}_@]/u;
// Scripts written without blanks: each pair of neighbouring characters is a lexeme, as in Lucene's CJK analyser.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const memo = new WordMemo<readonly number[]>(MEMO_WORDS_MAX, MEMO_WORD_LENGTH_MAX);

function pairsOf(word: string): string[] {
  const characters = Array.from(word);
  if (characters.length === 1) return [word];
  return characters.slice(1).map((character, index) => (characters[index] ?? "") + character);
}

function lexemeOf(word: string): number {
  const stemmed = stemOf(word);
  return stemmed === "" ? NO_LEXEME : dimensionOf(stemmed);
}

// Dimensions of one word of the text. "ERR_1042" and "10.0.0.1" count as a whole and in their parts, "boundary-layer" in its parts.
function dimensionsOfWord(word: string): number[] {
  if (PLAIN.test(word)) return [lexemeOf(foldWord(word))].filter((dimension) => dimension !== NO_LEXEME);
  const folded = foldWord(word);
  const parts = folded.match(PART) ?? [];
  const pieces = parts.flatMap((part) => (UNSPACED.test(part) ? pairsOf(part) : [part]));
  if (parts.length > 1 && NAMED.test(folded)) pieces.push(folded);
  return pieces.map((piece) => lexemeOf(piece)).filter((dimension) => dimension !== NO_LEXEME);
}

/**
 * Lexemes of a text: words in the sense of Unicode, folded (NFKC, lower case, no Latin accents), without English stop words, stemmed,
 * hashed. Deterministic; bounded by LEXEMES_MAX. A memo of words makes repeated words cheap and changes no result.
 */
export function analyse(text: string): Lexemes {
  const counts = new Map<number, number>();
  let lexemeCount = 0;
  for (const word of text.match(WORD) ?? []) {
    for (const dimension of memo.get(word, dimensionsOfWord)) {
      lexemeCount++;
      const count = counts.get(dimension);
      if (count === undefined) {
        if (counts.size < LEXEMES_MAX) counts.set(dimension, 1);
      } else if (count < LEXEME_COUNT_MAX) counts.set(dimension, count + 1);
    }
  }
  return { counts, lexemeCount };
}
