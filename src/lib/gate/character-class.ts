/** Coarse classes of UTF-16 units, as the gate counts them. */
export const BLANK = 1;
export const CONTROL = 2;
export const LETTER = 3;
export const DIGIT = 4;
/** The signs of base64 and its URL form. */
export const ENCODED_SIGN = 5;
export const OTHER = 6;

const ASCII_CLASS = new Uint8Array(128).fill(OTHER);
ASCII_CLASS.fill(CONTROL, 0, 32);
ASCII_CLASS[127] = CONTROL;
for (const code of [9, 10, 11, 12, 13, 32]) ASCII_CLASS[code] = BLANK;
ASCII_CLASS.fill(LETTER, 65, 91);
ASCII_CLASS.fill(LETTER, 97, 123);
ASCII_CLASS.fill(DIGIT, 48, 58);
for (const sign of "+/=-_") ASCII_CLASS[sign.charCodeAt(0)] = ENCODED_SIGN;

/** The class of a unit; NaN, which `charCodeAt` gives past the end, is OTHER. */
export function characterClass(code: number): number {
  return code < 128 ? (ASCII_CLASS[code] ?? OTHER) : wideClass(code);
}

/** Beyond ASCII: symbols and punctuation by block, everything else is writing. */
function wideClass(code: number): number {
  if (code < 0xa0) return CONTROL;
  if (code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029)
    return BLANK;
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba ? LETTER : OTHER;
  if (code >= 0x2000 && code <= 0x2bff) return OTHER;
  if (code >= 0x3001 && code <= 0x303f) return OTHER;
  // Surrogates are mostly emoji, private use and U+FFFD are no writing.
  return code >= 0xd800 && code <= 0xf8ff ? OTHER : code >= 0xfff0 ? OTHER : code >= 0x80 ? LETTER : OTHER;
}

/** Scripts that put no blanks between words (Chinese, Japanese, Hangul with them): each of their characters counts as a word. */
export function isWordByItself(code: number): boolean {
  return code >= 0x2e80 && code <= 0xd7ff;
}
