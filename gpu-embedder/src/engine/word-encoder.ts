import { z } from "zod";

/** Words remembered in one generation; two generations are held, about 15 MB together. */
const GENERATION_WORDS_MAX = 50_000;
/** UTF-16 units of a word worth remembering: longer ones hardly ever come back. */
const WORD_LENGTH_MAX = 64;
/** Blanks that part words: those that every step of a BERT tokenizer takes for one. Others are left inside words, to the library. */
const BLANKS: ReadonlySet<number> = new Set([" ", "\t", "\n", "\r"].map((blank) => blank.charCodeAt(0)));

const bertTokenizer = z.object({
  normalizer: z.object({ type: z.literal("BertNormalizer") }),
  pre_tokenizer: z.object({ type: z.literal("BertPreTokenizer") }),
  model: z.object({ type: z.literal("WordPiece") }),
  added_tokens: z.array(z.object({ content: z.string().regex(/^[!-~]+$/u) })).default([]),
});

/**
 * Whether a tokenizer.json gives each word its tokens whatever stands around it: BertNormalizer looks at one character at a time, BertPreTokenizer cuts at
 * blanks, WordPiece sees one word. Added tokens must be without blanks.
 */
export function encodesByWord(file: unknown): boolean {
  return bertTokenizer.safeParse(file).success;
}

/** Encodes word by word and remembers words: most of a text has been seen before. Memory is bounded by two generations of words. */
export class WordEncoder {
  readonly #encodeWord: (word: string) => readonly number[];
  #young = new Map<string, readonly number[]>();
  #old = new Map<string, readonly number[]>();

  constructor(encodeWord: (word: string) => readonly number[]) {
    this.#encodeWord = encodeWord;
  }

  /** Adds the ids of a text, without special tokens, to `ids`. */
  encode(text: string, ids: number[]): void {
    let start = -1;
    for (let at = 0; at <= text.length; at++) {
      const isInside = at < text.length && !BLANKS.has(text.charCodeAt(at));
      if (isInside && start < 0) start = at;
      if (isInside || start < 0) continue;
      for (const id of this.#idsOf(text.slice(start, at))) ids.push(id);
      start = -1;
    }
  }

  #idsOf(word: string): readonly number[] {
    if (word.length > WORD_LENGTH_MAX) return this.#encodeWord(word);
    const young = this.#young.get(word);
    if (young !== undefined) return young;
    const ids = this.#old.get(word) ?? this.#encodeWord(word);
    if (this.#young.size >= GENERATION_WORDS_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(word, ids);
    return ids;
  }
}
