/**
 * The words of a dictionary, which texts are coded with (columns/word-code.ts). They stand inside it, so that the file is one of zstd's own that every zstd
 * takes as it is: zstd's header, the words (UTF-8, each ended by a line feed, most frequent first), what zstd's trainer chose, and twelve bytes that say
 * where the words are: their offset and their bytes (u32, big-endian), then the magic "JVWD".
 */
import { err, type Result } from "../base/result.ts";
import { type DictionaryError, zstdDictionary, type ZstdDictionary } from "../zstd/zstd-dictionary.ts";
import { WordCode, WORD_BYTES_MAX, WORDS_MAX } from "./columns/word-code.ts";

const MAGIC = 0x4a565744;
export const WORDS_PLACE_BYTES = 12;
const WORD_END = "\n";
/** The three repeat offsets that end the header of every dictionary of zstd's trainer (RFC 8878, section 6): 1, 4 and 8, little-endian. */
const HEADER_END = Uint8Array.of(1, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0);

/** Bytes that words take in a dictionary, without their place. */
export function wordsBytes(words: readonly string[]): Uint8Array {
  return new TextEncoder().encode(words.map((word) => `${word}${WORD_END}`).join(""));
}

/** A trained dictionary with words put in. `dictionary_invalid` where its header has no end, or it is too large with them. */
export function withWords(trained: ZstdDictionary, words: readonly string[]): Result<ZstdDictionary, DictionaryError> {
  const start = headerBytes(trained.bytes);
  if (start === undefined) return err({ code: "dictionary_invalid" });
  const list = wordsBytes(words);
  const bytes = new Uint8Array(trained.bytes.length + list.length + WORDS_PLACE_BYTES);
  bytes.set(trained.bytes.subarray(0, start));
  bytes.set(list, start);
  bytes.set(trained.bytes.subarray(start), start + list.length);
  const place = new DataView(bytes.buffer, bytes.length - WORDS_PLACE_BYTES);
  place.setUint32(0, start);
  place.setUint32(4, list.length);
  place.setUint32(8, MAGIC);
  return zstdDictionary(bytes);
}

/** The code of a dictionary's words; null where it has none. */
export function wordCodeOf(dictionary: ZstdDictionary | null | undefined): WordCode | null {
  if (dictionary === null || dictionary === undefined) return null;
  const { bytes } = dictionary;
  const end = bytes.length - WORDS_PLACE_BYTES;
  if (end < 0) return null;
  const place = new DataView(bytes.buffer, bytes.byteOffset + end, WORDS_PLACE_BYTES);
  const [start, length] = [place.getUint32(0), place.getUint32(4)];
  if (place.getUint32(8) !== MAGIC || start + length > end || length > WORDS_MAX * (WORD_BYTES_MAX + 1)) return null;
  const words = new TextDecoder().decode(bytes.subarray(start, start + length)).split(WORD_END);
  words.pop();
  return words.length > WORDS_MAX ? null : new WordCode(words);
}

function headerBytes(bytes: Uint8Array): number | undefined {
  for (let at = 0; at + HEADER_END.length <= bytes.length; at++)
    if (HEADER_END.every((byte, index) => bytes[at + index] === byte)) return at + HEADER_END.length;
  return undefined;
}
