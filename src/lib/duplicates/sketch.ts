import { sha256HexSync } from "../base/hash.ts";
import { bandsOf, shinglesOf, signatureOf } from "./min-hash.ts";
import { type TextToken, tokensOf } from "./tokens.ts";

/** Changes whenever the same text may get another sketch: sketches of different versions are not compared. */
export const SKETCH_VERSION = 1;

/** Tokens below which near-duplicates are not looked for: in "yes, at five" every word is the message. */
const SKETCH_TOKENS_MIN = 12;

/** What is kept of a text to find its duplicates. 32 bands, 384 bytes of signature. */
export interface TextSketch {
  /** SHA-256, hexadecimal: equal for texts that are equal after normalisation. */
  readonly normalisedHash: string;
  readonly tokenCount: number;
  /** 96 unsigned 32-bit minima; empty for a text of fewer than 12 tokens, which has exact duplicates only. */
  readonly signature: Uint32Array;
  /** Integers in [0, 2^53). Texts that share one are candidates for a comparison. Empty together with the signature. */
  readonly bands: readonly number[];
}

const ENDS_ASKING = /[?？؟][\s"'”’»)\]]*$/u;

function hashOf(text: string, tokens: readonly TextToken[]): string {
  if (tokens.length === 0) return sha256HexSync(`|${text.normalize("NFKC").replaceAll(/\s+/gu, " ").trim()}`);
  const words = tokens.map((token) => token.folded).join(" ");
  return sha256HexSync(ENDS_ASKING.test(text.slice(-16)) ? `${words} ?` : words);
}

/**
 * SHA-256 (hexadecimal) of the text's tokens. Blind to case, white space, Unicode form (NFKC), apostrophes, invisible characters and
 * punctuation; not to numbers with their sign and separators, currency signs, per cent, emoji, and whether the text ends as a question.
 * A text of punctuation alone is hashed as it is, white space folded. Pure, O(text).
 */
export function normalisedHash(text: string): string {
  return hashOf(text, tokensOf(text));
}

/** Hexadecimal digits of a hash that a number and a bigint both hold exactly: 52 bits. */
const PREFIX_DIGITS = 13;

/** The head of a hexadecimal hash as an integer in [0, 2^52), to look texts up by; whether they are equal is told by the texts. */
export function hashPrefix(hash: string): number {
  return Number.parseInt(hash.slice(0, PREFIX_DIGITS), 16);
}

/** Sketch of a text. Pure, O(text). */
export function sketchOf(text: string): TextSketch {
  const tokens = tokensOf(text);
  const base = { normalisedHash: hashOf(text, tokens), tokenCount: tokens.length };
  if (tokens.length < SKETCH_TOKENS_MIN) return { ...base, signature: new Uint32Array(0), bands: [] };
  const signature = signatureOf(shinglesOf(tokens.map((token) => token.folded)));
  return { ...base, signature, bands: bandsOf(signature) };
}
