import { BLANK, characterClass, DIGIT, CONTROL, isWordByItself, LETTER } from "./character-class.ts";
import { LineList } from "./line-list.ts";
import { WordList } from "./word-list.ts";
import { addToHash } from "./word-sets.ts";

const LINE_FEED = 10;
const NUMBER_SIGN = 0x23;
const FULL_STOP = 0x2e;
const ELLIPSIS = 0x2026;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/** Characters of a text, counted by kind in UTF-16 units. */
export interface ScannedCharacters {
  readonly utf8Bytes: number;
  readonly letters: number;
  readonly digits: number;
  readonly controls: number;
  readonly nuls: number;
  readonly replacements: number;
  readonly mojibakePairs: number;
  readonly braces: number;
  /** Runs of `#` (a heading is one), and ellipses: `…` and three full stops. */
  readonly numberSigns: number;
  readonly ellipses: number;
}

/** A text taken apart. `words` and `lines` are overwritten by the next scan. */
interface ScannedText {
  readonly characters: ScannedCharacters;
  readonly words: WordList;
  readonly lines: LineList;
  /** UTF-16 units of the longest stretch without blanks. */
  readonly longestWord: number;
}

type Counts = { -readonly [Name in keyof ScannedCharacters]: number };

// Kept between calls: allocating their tables costs more than scanning a short text. A scan never yields while it uses them.
const WORDS = new WordList();
const LINES = new LineList();

/**
 * Takes a text apart in one pass: characters by kind, words, lines. Words are parted by blanks; each Chinese or Japanese character is one.
 * A word's hash is of its letters and digits with ASCII capitals made small, so that "Again," repeats "again".
 */
export function scanText(text: string): ScannedText {
  WORDS.reset();
  LINES.reset(text.length);
  const counts = newCounts(text.length);
  const line = new LineScan(text);
  let letters = 0;
  let digits = 0;
  let wordStart = -1;
  let wordHash = 0;
  let wordLettersBefore = 0;
  let longestWord = 0;
  // One step past the end, as if a line feed stood there: it ends the last word and the last line.
  for (let position = 0; position <= text.length; position++) {
    const code = position < text.length ? text.charCodeAt(position) : LINE_FEED;
    const kind = characterClass(code);
    if (code >= 128) countWide(counts, code, position === 0 ? 0 : text.charCodeAt(position - 1));
    const alone = code >= 128 && isWordByItself(code);
    if (wordStart >= 0 && (kind === BLANK || alone)) {
      if (position - wordStart > longestWord) longestWord = position - wordStart;
      line.addWord(wordHash, wordStart, position, letters > wordLettersBefore);
      wordStart = -1;
    }
    if (kind === BLANK) {
      if (code === LINE_FEED) line.end(position);
      continue;
    }
    if (wordStart < 0) {
      wordStart = position;
      wordHash = 0;
      wordLettersBefore = letters;
    }
    if (kind === LETTER) {
      letters++;
      wordHash = addToHash(wordHash, code >= 65 && code <= 90 ? code + 32 : code);
    } else if (kind === DIGIT) {
      digits++;
      wordHash = addToHash(wordHash, code);
    } else countSign(counts, kind, text, position);
    if (alone) {
      line.addWord(wordHash, position, position + 1, kind === LETTER);
      wordStart = -1;
    }
  }
  LINES.endParagraph();
  return { characters: { ...counts, letters, digits }, words: WORDS, lines: LINES, longestWord };
}

function newCounts(utf8Bytes: number): Counts {
  return {
    utf8Bytes,
    letters: 0,
    digits: 0,
    controls: 0,
    nuls: 0,
    replacements: 0,
    mojibakePairs: 0,
    braces: 0,
    numberSigns: 0,
    ellipses: 0,
  };
}

/** The line that the scan is in. */
class LineScan {
  readonly #text: string;
  #start = 0;
  #hash = 0;
  #solid = 0;
  #firstStart = 0;
  #firstEnd = 0;
  #lastEnd = 0;

  constructor(text: string) {
    this.#text = text;
  }

  addWord(hash: number, start: number, end: number, hasLetter: boolean): void {
    const own = hash === 0 ? this.#signHash(start, end) : hash;
    WORDS.add(hash, end - start, hasLetter);
    if (this.#solid === 0) {
      this.#firstStart = start;
      this.#firstEnd = end;
    }
    this.#hash = (Math.imul(this.#hash, 0x01000193) ^ own) | 0;
    this.#solid += end - start;
    this.#lastEnd = end;
  }

  /** Hash of a word of signs alone. */
  #signHash(start: number, end: number): number {
    let hash = 0;
    for (let position = start; position < end; position++) hash = addToHash(hash, this.#text.charCodeAt(position));
    return hash;
  }

  end(position: number): void {
    const last = this.#lastEnd - 1;
    LINES.add({
      hash: this.#hash,
      solid: this.#solid,
      characters: position - this.#start,
      first: this.#text.charCodeAt(this.#firstStart),
      firstStandsAlone: this.#firstEnd - this.#firstStart === 1,
      last: this.#text.charCodeAt(last),
      endsInStops: endsInStops(this.#text, last),
    });
    this.#start = position + 1;
    this.#hash = 0;
    this.#solid = 0;
  }
}

function endsInStops(text: string, last: number): boolean {
  return [0, 1, 2].every((back) => text.charCodeAt(last - back) === FULL_STOP);
}

/** Counts what is neither letter nor digit nor blank. */
function countSign(counts: Counts, kind: number, text: string, position: number): void {
  const code = text.charCodeAt(position);
  if (kind === CONTROL) {
    counts.controls++;
    if (code === 0) counts.nuls++;
  } else if (code === BRACE_OPEN || code === BRACE_CLOSE) counts.braces++;
  else if (code === ELLIPSIS) counts.ellipses++;
  else if (code === NUMBER_SIGN && text.charCodeAt(position - 1) !== NUMBER_SIGN) counts.numberSigns++;
  else if (code === FULL_STOP && endsInStops(text, position) && text.charCodeAt(position - 3) !== FULL_STOP)
    counts.ellipses++;
}

function countWide(counts: Counts, code: number, before: number): void {
  // A surrogate is half of a character of four bytes.
  counts.utf8Bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  if (code === 0xfffd) counts.replacements++;
  // UTF-8 lead bytes 0xC2, 0xC3 and 0xE2 read as Latin-1 or Windows-1252, followed by what a continuation byte became.
  else if ((before === 0xc2 || before === 0xc3) && code >= 0x80 && code <= 0xbf) counts.mojibakePairs++;
  else if (before === 0xe2 && (code === 0x20ac || code === 0x80)) counts.mojibakePairs++;
}
