import { WordMemo } from "../base/word-memo.ts";
import type { TokenizerTraits } from "./library-token-counter.ts";
import type { TokenCounter } from "./token-counter.ts";

/** Words remembered in one generation of the memo; two generations are held, about 10 MB together. */
const MEMO_WORDS_MAX = 50_000;
/** UTF-16 units of a word worth remembering: longer ones hardly ever come back. */
const MEMO_WORD_LENGTH_MAX = 64;

const OTHER = 0;
const ALPHANUMERIC = 1;
const PUNCTUATION = 2;
const BLANK = 3;

// Class of each ASCII character for a BERT pre-tokenizer. Control characters (form feed too) are dropped by its normalizer without
// ending a word, so they are left to the library, like everything that is not ASCII.
const ASCII_CLASS = new Uint8Array(128);
for (let code = 33; code < 127; code++)
  ASCII_CLASS[code] = /[0-9A-Za-z]/.test(String.fromCharCode(code)) ? ALPHANUMERIC : PUNCTUATION;
for (const blank of " \t\n\r") ASCII_CLASS[blank.charCodeAt(0)] = BLANK;

function isBlank(code: number): boolean {
  if (code < 128) return ASCII_CLASS[code] === BLANK;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

// The ranges that BERT's normalizer puts blanks around, as far as they lie in the basic plane.
function isIdeograph(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) || (code >= 0xf900 && code <= 0xfaff);
}

/**
 * Whether counts add up over blanks and ASCII punctuation: BertNormalizer maps every blank to a space, BertPreTokenizer cuts at blanks
 * and around each punctuation character, ideographs get blanks around them, WordPiece sees one word at a time. Added tokens must be plain ASCII without blanks.
 */
export function countsAddUpOverWords(traits: TokenizerTraits): boolean {
  return (
    traits.normalizerType === "BertNormalizer" &&
    traits.preTokenizerType === "BertPreTokenizer" &&
    traits.modelType === "WordPiece" &&
    traits.addedTokens.every((token) => /^[!-~]+$/.test(token))
  );
}

/**
 * The library's count, word by word: own WordPiece for ASCII words, the library for the others, both remembered. Exact where
 * `countsAddUpOverWords` holds. One count costs O(text), memory is bounded by two generations of `MEMO_WORDS_MAX` words.
 */
export function wordTokenCounter(library: TokenCounter, traits: TokenizerTraits): TokenCounter {
  const memo = new WordMemo<number>(MEMO_WORDS_MAX, MEMO_WORD_LENGTH_MAX);
  const countByLibrary = (word: string): number => library.count(word);

  // WordPiece over a word of ASCII letters and digits: the longest known piece first, one unknown token when nothing fits.
  function countPieces(word: string): number {
    if (word.length > traits.wordLengthMax) return 1;
    const folded = traits.lowercase ? word.toLowerCase() : word;
    let pieceCount = 0;
    let start = 0;
    while (start < folded.length) {
      const prefix = start === 0 ? "" : traits.continuingPrefix;
      let end = folded.length;
      while (end > start && !traits.hasPiece(prefix + folded.slice(start, end))) end--;
      if (end === start) return 1;
      pieceCount++;
      start = end;
    }
    return pieceCount;
  }

  function endsRun(code: number): boolean {
    return isBlank(code) || (traits.separatesIdeographs && isIdeograph(code));
  }

  function endOfWord(text: string, start: number): number {
    let end = start;
    while (end < text.length && !endsRun(text.charCodeAt(end))) end++;
    return end;
  }

  function count(text: string): number {
    const plain = !traits.addedTokens.some((token) => text.includes(token));
    let total = 0;
    let position = 0;
    while (position < text.length) {
      const code = text.charCodeAt(position);
      if (endsRun(code)) {
        if (!isBlank(code)) total++; // An ideograph is one token, known or [UNK].
        position++;
        continue;
      }
      const end = endOfWord(text, position);
      total +=
        (plain ? countAsciiWord(text, position, end) : undefined) ??
        memo.get(text.slice(position, end), countByLibrary);
      position = end;
    }
    return total;
  }

  // Tokens of text[start, end), or undefined when a character in it is not plain ASCII.
  function countAsciiWord(text: string, start: number, end: number): number | undefined {
    let total = 0;
    let runStart = start;
    for (let position = start; position < end; position++) {
      const code = text.charCodeAt(position);
      const kind = code < 128 ? ASCII_CLASS[code] : OTHER;
      if (kind === ALPHANUMERIC) continue;
      if (kind !== PUNCTUATION) return undefined;
      if (position > runStart) total += memo.get(text.slice(runStart, position), countPieces);
      total += 1; // A punctuation character is a word of its own and one token, known or [UNK].
      runStart = position + 1;
    }
    return end > runStart ? total + memo.get(text.slice(runStart, end), countPieces) : total;
  }

  return { count };
}
