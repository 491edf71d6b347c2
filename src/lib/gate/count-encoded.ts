import { characterClass, DIGIT, ENCODED_SIGN, LETTER } from "./character-class.ts";

/** Shortest unbroken run that counts as encoded: PEM lines have 64 characters, MIME lines 76, a SHA-256 in hex 64; words stay under 60. */
export const ENCODED_RUN_MIN = 60;
/**
 * Share of capitals and digits from which such a run is encoded rather than written: base64 has 0.56, hexadecimal 0.62; paths, links and
 * joined words stay well under it.
 */
const ENCODED_HARD_SHARE = 0.2;

/** Units in runs that look like base64 or hexadecimal. A pass of its own, since hardly any text has a run that long. */
export function countEncoded(text: string): number {
  let encoded = 0;
  let run = 0;
  let hard = 0;
  for (let position = 0; position <= text.length; position++) {
    const code = position < text.length ? text.charCodeAt(position) : 0;
    const kind = code < 128 ? characterClass(code) : 0;
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
