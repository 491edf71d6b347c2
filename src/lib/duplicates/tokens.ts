export type TokenKind = "word" | "number" | "symbol";

/** A token of a text as duplicates are compared by it. Offsets are UTF-16 units of the text, end exclusive. */
export interface TextToken {
  /** NFKC, lower case, without apostrophes and invisible characters. */
  readonly folded: string;
  readonly kind: TokenKind;
  /** Begins with an upper-case letter followed by a lower-case one, as names do. */
  readonly isCapitalised: boolean;
  readonly start: number;
  readonly end: number;
}

// Scripts that put no blank between words: each character, with its marks, is a token.
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
// A number keeps its sign and its inner separators: 3.5, -2, 1,000, 10:30, 2024-05-01.
const NUMBER = String.raw`(?:(?<![\p{L}\p{N}.\)])[\-+−])?\p{N}+(?:[.,:\/–\-]?\p{N}+)*`;
// Apostrophes, soft hyphens and joiners lie inside words; C++ and C# are words.
const LETTER = String.raw`[[\p{L}\p{M}]--[${UNSPACED}]]`;
const LETTERS = String.raw`[[\p{L}\p{M}\p{N}'’\u00AD\u200B-\u200D]--[${UNSPACED}]]*`;
const WORD = String.raw`${LETTER}${LETTERS}(?:[+#]{1,2}(?![\p{L}\p{N}]))?`;
const SYMBOL = String.raw`[\p{Sc}%\p{Extended_Pictographic}]`;
const TOKEN = new RegExp(`(${NUMBER})|(${WORD})|[${UNSPACED}]\\p{M}*|(${SYMBOL})`, "gv");
const INSIDE_WORD = /['’\u00AD\u200B-\u200D]/g;
const ASCII = /^[!-~]*$/;
const CAPITALISED = /^\p{Lu}\p{Ll}/u;

function fold(piece: string): string {
  const plain = ASCII.test(piece) ? piece : piece.normalize("NFKC");
  return plain.toLowerCase().replace(INSIDE_WORD, "");
}

/** Tokens of a text in order: words, numbers with sign and separators, currency signs, per cent and emoji. Other punctuation is none. O(text). */
export function tokensOf(text: string): TextToken[] {
  const tokens: TextToken[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const piece = match[0];
    tokens.push({
      folded: fold(piece),
      kind: match[1] !== undefined ? "number" : match[3] !== undefined ? "symbol" : "word",
      isCapitalised: CAPITALISED.test(piece),
      start: match.index,
      end: match.index + piece.length,
    });
  }
  return tokens;
}
