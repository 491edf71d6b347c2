import { assert } from "../base/assert.ts";
import { areEqualBytes } from "../base/bytes.ts";
import { ZstdCodec } from "./zstd-codec.ts";
import { zstdDictionary } from "./zstd-dictionary.ts";

/** A small trained dictionary, a text that shares words with it, and the frame that zstd 1.5.7 makes of both at level 19. */
const KNOWN = {
  dictionary:
    "N6Qw7Mjx5EAdENhrpAMMwzAMw0IR9rNrSHKfYRiwKM3MzMzMrA0DAAAA4OhYU9kAAAAEAAAAAAAmUAAAODgAAABqAAAODoADAAAAAAAAAAAAAAAAYLOJAwAAAACka8oRBwAAAAAAOAAAAAAAAAAAAAEAAAAE" +
    "AAAACAAAAHRoZSBtZW1vdGhlIHZlY3RvciBvZiB0aGUgdGVuYW50IGlzIGtlcHQgd2l0aCBpdHMgdmVjdG9ydGhlIGZpbmdlcnByaW50IG9mIHRoZSByZWNlaXB0IGlzIGtlcHQgd2l0aCBpdHMgbWVtb3J5" +
    "dGhlIGFydGlmYWN0IG9mIHRoZSBhcnRpZmFjdCBpcyBrZXB0IHdpdGggaXRzIGZpbmdlcnByaW50dGhlIHNlZ21l",
  text: "the artifact of the segment is kept with its receipt",
  frame: "KLUv/SPI8eRANIUAABh0bnQE/BFA9DlyFPdjBQQ=",
  level: 19,
} as const;

/**
 * A codec that has shown that it uses dictionaries: a known text becomes the known frame, comes back with the dictionary, and does not without it.
 * Throws otherwise: packs of a codec that ignores its dictionary could be read by nobody else.
 */
export function provedZstd(module: WebAssembly.Module): ZstdCodec {
  const codec = new ZstdCodec(module);
  proveDictionaries(codec);
  return codec;
}

/** The proof by itself, for any implementation. Throws where the dictionary is ignored or a frame differs. */
export function proveDictionaries(codec: Pick<ZstdCodec, "compress" | "decompress">): void {
  const dictionary = zstdDictionary(bytesOf(KNOWN.dictionary));
  assert(dictionary.ok, "the known dictionary is one");
  const text = new TextEncoder().encode(KNOWN.text);
  const frame = codec.compress(text, { level: KNOWN.level, dictionary: dictionary.value });
  assert(areEqualBytes(frame, bytesOf(KNOWN.frame)), "zstd makes the known frame with the known dictionary");
  const again = codec.decompress(frame, { bytesMax: text.length, dictionary: dictionary.value });
  assert(again.ok && areEqualBytes(again.value, text), "the known frame gives the known text");
  const without = codec.decompress(frame, { bytesMax: text.length });
  assert(!without.ok, "the known frame cannot be read without its dictionary");
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
