import chardet from "chardet";
import { utf8Text } from "../../lib/base/bytes.ts";

/** Text of a file and the encoding it was read as (a label of the WHATWG encoding standard). */
export interface DecodedText {
  readonly text: string;
  readonly encoding: string;
}

/** Bytes looked at to tell binary from text, and to guess an encoding. */
const SAMPLE_BYTES = 64 * 1024;
/** Share of control bytes from which a file is binary: text has line ends and tabs, which do not count. */
const CONTROL_SHARE_MAX = 0.02;
const FALLBACK = "windows-1252";

/**
 * Text of bytes: by byte order mark, else UTF-8 where it is valid, else what chardet takes it for, else windows-1252 (the web's latin1, in
 * which every byte is a character). undefined for binary. A byte order mark is not part of the text.
 */
export function decodeText(bytes: Uint8Array): DecodedText | undefined {
  const marked = markOf(bytes);
  if (marked !== undefined) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (isBinary(sample)) return undefined;
  const text = utf8Text(bytes);
  if (text !== undefined) return { text, encoding: "utf-8" };
  const guess = labelOf(chardet.detect(sample));
  return { text: new TextDecoder(guess).decode(bytes), encoding: guess };
}

function markOf(bytes: Uint8Array): string | undefined {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  return a === 0xfe && b === 0xff ? "utf-16be" : undefined;
}

function isBinary(sample: Uint8Array): boolean {
  let controls = 0;
  for (const byte of sample) {
    if (byte === 0) return true;
    // Tab, line feed, form feed, carriage return and escape (ISO-2022) are text.
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 27) controls++;
  }
  return controls > sample.length * CONTROL_SHARE_MAX;
}

function labelOf(name: string | null): string {
  // ASCII and UTF-8 were ruled out by the bytes; a sample may still look like them.
  if (name === null || name === "ASCII" || name === "UTF-8" || name === "ISO-8859-1") return FALLBACK;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return FALLBACK;
  }
}
