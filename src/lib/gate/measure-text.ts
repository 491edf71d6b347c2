/** What the gate knows of a text: counts made in one pass over its UTF-16 units. */

/** Shortest unbroken run that counts as encoded: PEM lines have 64 characters, MIME lines 76, a SHA-256 in hex 64; words stay under 60. */
const ENCODED_RUN_MIN = 60;
/**
 * Share of capitals and digits from which such a run is encoded rather than written: base64 has 0.56, hexadecimal 0.62; paths, links and
 * joined words stay well under it.
 */
const ENCODED_HARD_SHARE = 0.2;
/** Counters of the words' and of the lines' hashes. Two words in one counter can only raise its share, by less than 1 in 4096 each. */
const BUCKETS = 4096;
/** Lines of this many characters or fewer (braces, bullets) repeat in every program and say nothing. */
const SHORT_LINE = 3;

const BLANK = 1;
const CONTROL = 2;
const LETTER = 3;
const DIGIT = 4;
const ENCODED_SIGN = 5;
const OTHER = 6;

const ASCII_CLASS = new Uint8Array(128).fill(OTHER);
ASCII_CLASS.fill(CONTROL, 0, 32);
ASCII_CLASS[127] = CONTROL;
for (const code of [9, 10, 11, 12, 13, 32]) ASCII_CLASS[code] = BLANK;
ASCII_CLASS.fill(LETTER, 65, 91);
ASCII_CLASS.fill(LETTER, 97, 123);
ASCII_CLASS.fill(DIGIT, 48, 58);
for (const sign of "+/=-_") ASCII_CLASS[sign.charCodeAt(0)] = ENCODED_SIGN;

export interface TextMeasures {
  readonly utf8Bytes: number;
  /** UTF-16 units. */
  readonly characters: number;
  /** UTF-16 units that are no blanks. */
  readonly solid: number;
  readonly letters: number;
  readonly controls: number;
  readonly nuls: number;
  readonly replacements: number;
  readonly mojibakePairs: number;
  /** Units in runs of at least `ENCODED_RUN_MIN` characters that look like base64 or hexadecimal. */
  readonly encoded: number;
  readonly tokens: number;
  readonly topTokenCount: number;
  readonly lines: number;
  readonly topLineCount: number;
}

// Kept between calls: allocating them costs more than measuring a short text. A measurement never yields while it uses them.
const WORD_COUNTS = new Uint32Array(BUCKETS);
const LINE_COUNTS = new Uint32Array(BUCKETS);

/** Counts of the most frequent hash. */
class Frequency {
  readonly #counts: Uint32Array;
  readonly #mask: number;
  total = 0;
  top = 0;

  constructor(counts: Uint32Array, textLength: number) {
    // A text of n units has at most n/2 words: as many counters keep collisions rare and clearing cheap.
    const size = Math.min(BUCKETS, 2 ** Math.ceil(Math.log2(Math.max(64, textLength / 2))));
    this.#counts = counts.fill(0, 0, size);
    this.#mask = size - 1;
  }

  add(hash: number): void {
    const bucket = (hash ^ (hash >>> 15)) & this.#mask;
    const count = (this.#counts[bucket] ?? 0) + 1;
    this.#counts[bucket] = count;
    this.total++;
    if (count > this.top) this.top = count;
  }
}

/** Measures a text. O(length); allocates nothing that grows with the text. */
export function measureText(text: string): TextMeasures {
  const counts = {
    utf8Bytes: text.length,
    solid: 0,
    letters: 0,
    controls: 0,
    nuls: 0,
    replacements: 0,
    mojibakePairs: 0,
  };
  const tokens = new Frequency(WORD_COUNTS, text.length);
  const lines = new Frequency(LINE_COUNTS, text.length);
  let wordHash = 0;
  let lineHash = 0;
  let lineSolid = 0;
  let run = 0;
  let longestRun = 0;
  let before = 0;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    const kind = code < 128 ? (ASCII_CLASS[code] ?? OTHER) : kindOf(code);
    run = code < 128 && kind >= LETTER && kind <= ENCODED_SIGN ? run + 1 : 0;
    if (run > longestRun) longestRun = run;
    if (code >= 128) countWide(counts, code, before);
    before = code;
    if (kind === BLANK) {
      if (wordHash !== 0) tokens.add(wordHash);
      wordHash = 0;
      if (code !== 10) continue;
      if (lineSolid > SHORT_LINE) lines.add(lineHash);
      lineHash = 0;
      lineSolid = 0;
      continue;
    }
    countSolid(counts, kind, code);
    lineSolid++;
    wordHash = (Math.imul(wordHash, 31) + code) | 0;
    lineHash = (Math.imul(lineHash, 31) + code) | 0;
    // Scripts that do not put blanks between words: each character counts as a word.
    if (code >= 0x2e80 && code <= 0xd7ff) {
      tokens.add(wordHash);
      wordHash = 0;
    }
  }
  if (wordHash !== 0) tokens.add(wordHash);
  if (lineSolid > SHORT_LINE) lines.add(lineHash);
  return {
    ...counts,
    encoded: longestRun >= ENCODED_RUN_MIN ? countEncoded(text) : 0,
    characters: text.length,
    tokens: tokens.total,
    topTokenCount: tokens.top,
    lines: lines.total,
    topLineCount: lines.top,
  };
}

/** Units in runs that look like base64 or hexadecimal. A pass of its own, since hardly any text has a run that long. */
function countEncoded(text: string): number {
  let encoded = 0;
  let run = 0;
  let hard = 0;
  for (let position = 0; position <= text.length; position++) {
    // Past the end the code is NaN, which ends the last run.
    const code = text.charCodeAt(position);
    const kind = ASCII_CLASS[code] ?? OTHER;
    if (kind >= LETTER && kind <= ENCODED_SIGN) {
      run++;
      if (kind === DIGIT || (code >= 65 && code <= 90)) hard++;
      continue;
    }
    if (run >= ENCODED_RUN_MIN && hard >= run * ENCODED_HARD_SHARE) encoded += run;
    run = 0;
    hard = 0;
  }
  return encoded;
}

/** Coarse class of a unit beyond ASCII: symbols and punctuation by block, everything else is writing. */
function kindOf(code: number): number {
  if (code < 0xa0) return CONTROL;
  if (code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029)
    return BLANK;
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba ? LETTER : OTHER;
  if (code >= 0x2000 && code <= 0x2bff) return OTHER;
  if (code >= 0x3001 && code <= 0x303f) return OTHER;
  // Surrogates are mostly emoji, private use and U+FFFD are no writing.
  return code >= 0xd800 && code <= 0xf8ff ? OTHER : code >= 0xfff0 ? OTHER : LETTER;
}

interface SolidCounts {
  solid: number;
  letters: number;
  controls: number;
  nuls: number;
}

function countSolid(counts: SolidCounts, kind: number, code: number): void {
  counts.solid++;
  if (kind === LETTER) counts.letters++;
  else if (kind === CONTROL) counts.controls++;
  if (code === 0) counts.nuls++;
}

interface WideCounts {
  utf8Bytes: number;
  replacements: number;
  mojibakePairs: number;
}

function countWide(counts: WideCounts, code: number, before: number): void {
  // A surrogate is half of a character of four bytes.
  counts.utf8Bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  if (code === 0xfffd) counts.replacements++;
  // UTF-8 lead bytes 0xC2, 0xC3 and 0xE2 read as Latin-1 or Windows-1252, followed by what a continuation byte became.
  else if ((before === 0xc2 || before === 0xc3) && code >= 0x80 && code <= 0xbf) counts.mojibakePairs++;
  else if (before === 0xe2 && (code === 0x20ac || code === 0x80)) counts.mojibakePairs++;
}
