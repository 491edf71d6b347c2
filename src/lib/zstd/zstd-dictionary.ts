import { sha256Sync } from "../base/hash.ts";
import { hexOf } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";

/** A dictionary of zstd's own format, named by its content. */
export interface ZstdDictionary {
  /** First 16 bytes of the SHA-256 of `bytes`, as 32 hexadecimal characters. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

export const DICTIONARY_ID_BYTES = 16;

/** Bytes of a dictionary at most. Together with a block of 16 KB it stays within 256 KB, beyond which zstd doubles its tables. */
export const DICTIONARY_BYTES_MAX = 224 * 1024;

/** 0xEC30A437, little-endian: first bytes of a trained dictionary. */
const MAGIC = [0x37, 0xa4, 0x30, 0xec] as const;

export type DictionaryError = { readonly code: "dictionary_invalid" };

/** A dictionary from its bytes. Raw content without zstd's tables is refused: every reader of zstd takes it for something else. */
export function zstdDictionary(bytes: Uint8Array): Result<ZstdDictionary, DictionaryError> {
  const isTrained = bytes.length <= DICTIONARY_BYTES_MAX && MAGIC.every((byte, index) => bytes[index] === byte);
  return isTrained
    ? ok({ id: hexOf(sha256Sync(bytes).subarray(0, DICTIONARY_ID_BYTES)), bytes })
    : err({ code: "dictionary_invalid" });
}
