/** The fixed parts of a pack: header and trailer. Bytes only, no msgpack, no compression. docs/FORMATS.md has the tables. */
import { hexOf } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { bytesOfHex } from "./columns/identifier-bytes.ts";
import type { PackError } from "./pack-error.ts";

/** "JVPK" and "JVPE" in ASCII, big-endian. */
const MAGIC = 0x4a56504b;
const END_MAGIC = 0x4a565045;
export const PACK_VERSION = 1;

export const HEADER_BYTES = 24;
export const TRAILER_BYTES = 56;
export const BLOCK_DIGEST_BYTES = 8;
export const FILE_DIGEST_BYTES = 32;
const DICTIONARY_ID_BYTES = 16;

/** One zstd frame a block, without or with a dictionary. */
export const CODEC_ZSTD = 1;
export const CODEC_ZSTD_DICTIONARY = 2;

/** Header: magic, version, codec, dictionary id (zeros without one). */
export function writeHeader(dictionaryId: string | null): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, PACK_VERSION);
  view.setUint8(5, dictionaryId === null ? CODEC_ZSTD : CODEC_ZSTD_DICTIONARY);
  if (dictionaryId !== null) bytes.set(bytesOfHex(dictionaryId), HEADER_BYTES - DICTIONARY_ID_BYTES);
  return bytes;
}

/** Id of the dictionary that a header names, or null. */
export function readHeader(bytes: Uint8Array): Result<{ readonly dictionaryId: string | null }, PackError> {
  if (bytes.length < HEADER_BYTES) return err({ code: "pack_truncated" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return err({ code: "pack_not_recognized" });
  const version = view.getUint8(4);
  if (version !== PACK_VERSION) return err({ code: "pack_version_unsupported", version });
  const codec = view.getUint8(5);
  const id = bytes.subarray(8, HEADER_BYTES);
  const isCanonical = view.getUint16(6) === 0 && (codec === CODEC_ZSTD_DICTIONARY || id.every((byte) => byte === 0));
  if (!isCanonical || (codec !== CODEC_ZSTD && codec !== CODEC_ZSTD_DICTIONARY)) return err({ code: "pack_damaged" });
  return ok({ dictionaryId: codec === CODEC_ZSTD ? null : hexOf(id) });
}

/** The last bytes of a pack: where its footer is, and what the whole should hash to. */
export interface Trailer {
  readonly footerStoredBytes: number;
  readonly footerRawBytes: number;
  /** First 8 bytes of the SHA-256 of the footer as stored. */
  readonly footerDigest: Uint8Array;
  /** SHA-256 of all bytes before the trailer. */
  readonly fileDigest: Uint8Array;
  readonly recordCount: number;
}

export function writeTrailer(trailer: Trailer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, trailer.footerStoredBytes);
  view.setUint32(4, trailer.footerRawBytes);
  bytes.set(trailer.footerDigest.subarray(0, BLOCK_DIGEST_BYTES), 8);
  bytes.set(trailer.fileDigest, 16);
  view.setUint32(48, trailer.recordCount);
  view.setUint32(52, END_MAGIC);
  return bytes;
}

/** Reads the trailer at the end of `bytes`. Without its magic the pack was cut off, or is none. */
export function readTrailer(bytes: Uint8Array): Result<Trailer, PackError> {
  if (bytes.length < TRAILER_BYTES) return err({ code: "pack_truncated" });
  const tail = bytes.subarray(bytes.length - TRAILER_BYTES);
  const view = new DataView(tail.buffer, tail.byteOffset, TRAILER_BYTES);
  if (view.getUint32(52) !== END_MAGIC) return err({ code: "pack_truncated" });
  return ok({
    footerStoredBytes: view.getUint32(0),
    footerRawBytes: view.getUint32(4),
    footerDigest: tail.slice(8, 8 + BLOCK_DIGEST_BYTES),
    fileDigest: tail.slice(16, 16 + FILE_DIGEST_BYTES),
    recordCount: view.getUint32(48),
  });
}
