const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Whether JSON text has more than `depthMax` brackets open at once. One pass without a stack: the parser takes 1.5 s for four million
 * brackets, in which nobody else would be served. Says nothing of what is no JSON; the parser does.
 */
export function isNestedDeeper(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === QUOTE) isInString = false;
      else if (byte === BACKSLASH) at += 1;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === CLOSING_BRACKET || byte === CLOSING_BRACE) depth -= 1;
    else if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
      depth += 1;
      if (depth > depthMax) return true;
    }
  }
  return false;
}
