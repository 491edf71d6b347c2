/**
 * Texts in which frequent words are one or two bytes. A word of a short block costs zstd three bytes at least, since it has to say where in the dictionary
 * it found it; as a byte or two it is coded like a letter. The words are those of the pack's dictionary.
 *
 * | bytes | are |
 * | --- | --- |
 * | 00 | the end of a text |
 * | 01 to 7f | a character of ASCII |
 * | 80 to de | word 0 to 94 |
 * | df to fe, any | word 95 and up: 95 + 256 × (first − df) + second |
 * | ff | UTF-8 as it is, to the next ff, or to the end of the text |
 */
import { utf8Text } from "../../base/bytes.ts";

const END = 0x00;
const FIRST_CODE = 0x80;
const FIRST_PAIR = 0xdf;
const AS_IT_IS = 0xff;
const SHORT_CODES = FIRST_PAIR - FIRST_CODE;

/** A word: letters, digits and apostrophes, with the blank before it. Anything else is a token of one character. */
export const TOKENS = / ?[\p{L}\p{M}\p{N}'’]+|[^\p{L}\p{M}\p{N}'’]/gu;

/** Words of one dictionary at most: as many as there are codes. */
export const WORDS_MAX = SHORT_CODES + (AS_IT_IS - FIRST_PAIR) * 256;
/** UTF-8 bytes of a word. */
export const WORD_BYTES_MAX = 32;

const ASCII = Array.from({ length: FIRST_CODE }, (_, code) => String.fromCharCode(code));

export class WordCode {
  readonly words: readonly string[];
  #codes: ReadonlyMap<string, number> | undefined;

  /** The most frequent words first. */
  constructor(words: readonly string[]) {
    this.words = words;
  }

  /** The texts one behind the other. None may hold U+0000; all are well-formed. */
  encode(texts: readonly string[]): Uint8Array {
    const codes = (this.#codes ??= new Map(this.words.map((word, index) => [word, index])));
    const units = texts.reduce((sum, { length }) => sum + length, 0);
    const output = new CodedBytes(units, texts.length);
    for (const text of texts) {
      for (const [token] of text.matchAll(TOKENS)) {
        const code = codes.get(token);
        if (code === undefined) output.putText(token);
        else output.putWord(code);
      }
      output.end();
    }
    return output.bytes();
  }

  /** Exactly `count` texts of `lengthMax` UTF-16 units together at most, or undefined where the bytes are something else. */
  decode(bytes: Uint8Array, count: number, lengthMax: number): string[] | undefined {
    const texts: string[] = [];
    let text = "";
    let length = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? END;
      if (byte === END) {
        texts.push(text);
        text = "";
        continue;
      }
      let piece: string | undefined;
      if (byte < FIRST_CODE) piece = ASCII[byte];
      else if (byte < FIRST_PAIR) piece = this.words[byte - FIRST_CODE];
      else if (byte < AS_IT_IS)
        piece = this.words[SHORT_CODES + (byte - FIRST_PAIR) * 256 + (bytes[++at] ?? Number.NaN)];
      else {
        const end = runEnd(bytes, at + 1);
        piece = utf8Text(bytes.subarray(at + 1, end));
        at = bytes[end] === AS_IT_IS ? end : end - 1;
      }
      length += piece?.length ?? 0;
      if (piece === undefined || length > lengthMax) return undefined;
      text += piece;
    }
    return text === "" && texts.length === count ? texts : undefined;
  }
}

function runEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== AS_IT_IS && bytes[at] !== END) at++;
  return at;
}

/** UTF-8 bytes of a UTF-16 unit, and the two that a run of one unit has around it. */
const UNIT_BYTES_MAX = 5;
const ENCODER = new TextEncoder();

class CodedBytes {
  readonly #bytes: Uint8Array;
  #length = 0;
  #isAsItIs = false;

  constructor(units: number, textCount: number) {
    this.#bytes = new Uint8Array(units * UNIT_BYTES_MAX + textCount);
  }

  putWord(word: number): void {
    if (this.#isAsItIs) this.#put(AS_IT_IS);
    this.#isAsItIs = false;
    if (word < SHORT_CODES) this.#put(FIRST_CODE + word);
    else {
      this.#put(FIRST_PAIR + ((word - SHORT_CODES) >> 8));
      this.#put((word - SHORT_CODES) & 0xff);
    }
  }

  putText(token: string): void {
    if (!this.#isAsItIs && !isAscii(token)) {
      this.#put(AS_IT_IS);
      this.#isAsItIs = true;
    }
    this.#length += ENCODER.encodeInto(token, this.#bytes.subarray(this.#length)).written;
  }

  end(): void {
    this.#put(END);
    this.#isAsItIs = false;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #put(byte: number): void {
    this.#bytes[this.#length++] = byte;
  }
}

function isAscii(token: string): boolean {
  for (let at = 0; at < token.length; at++) if (token.charCodeAt(at) >= FIRST_CODE) return false;
  return true;
}
