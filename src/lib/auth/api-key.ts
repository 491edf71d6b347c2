/**
 * The form of an API key: `jvk_`, 30 random base62 characters (178 bits), 6 base62 characters of the CRC-32 of all before. The checksum
 * lets garbage be refused before any look-up and lets secret scanners be sure of a find; it is no protection.
 */
import { crc32 } from "node:zlib";
import { assert } from "../base/assert.ts";
import { utf8Bytes } from "../base/bytes.ts";

const PREFIX = "jvk_";
const RANDOM_LENGTH = 30;
const CHECKSUM_LENGTH = 6;
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Largest multiple of 62 in a byte: bytes from here on are dropped, so that every character is equally likely. */
const UNBIASED_BYTES = 248;
/** A round of 64 bytes leaves fewer than 30 usable ones once in 10^20; a random source that needs more rounds is broken. */
const ROUNDS_MAX = 16;

const FORM = /^jvk_[0-9A-Za-z]{36}$/;

/** Makes a new key. `fillRandom` fills its argument from a cryptographic source. */
export function makeApiKey(fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  let random = "";
  for (let round = 0; round < ROUNDS_MAX && random.length < RANDOM_LENGTH; round++) {
    const bytes = new Uint8Array(64);
    fillRandom(bytes);
    for (const byte of bytes)
      if (byte < UNBIASED_BYTES && random.length < RANDOM_LENGTH) random += BASE62.charAt(byte % 62);
  }
  assert(random.length === RANDOM_LENGTH, "the random source gave enough usable bytes");
  return `${PREFIX}${random}${checksum(PREFIX + random)}`;
}

/** Whether `text` has the form of a key and its checksum is right. */
export function isApiKey(text: string): boolean {
  return FORM.test(text) && text.endsWith(checksum(text.slice(0, -CHECKSUM_LENGTH)));
}

/** What may be shown of a key so that its owner recognises it: 24 of its 178 bits. */
export function apiKeyHint(key: string): string {
  return key.slice(0, PREFIX.length + 4);
}

function checksum(text: string): string {
  let left = crc32(utf8Bytes(text));
  let digits = "";
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit++) {
    digits = BASE62.charAt(left % 62) + digits;
    left = Math.floor(left / 62);
  }
  return digits;
}
