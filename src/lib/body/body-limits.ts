import { LIMITS } from "../base/limits.ts";

/** Bounds of the body decoders. */
export interface BodyLimits {
  /** Bytes after decompression. */
  readonly decompressedBytesMax: number;
  readonly documentsMax: number;
  /** Nesting of the decoded body, its root being 1. */
  readonly depthMax: number;
  /** Values (scalars, arrays and objects) of the whole body: a byte of JSON can become 16 bytes of heap, so bytes alone bound nothing. */
  readonly valuesMax: number;
  /** Frames of a zstd body: each costs a decoder of its own (about 20 µs), a client flushes once for 100 KB or more. */
  readonly zstdFramesMax: number;
  /** Base 2 logarithm of the largest zstd window: 8 MiB, the bound of RFC 9659 for HTTP. */
  readonly zstdWindowLogMax: number;
}

export const BODY_LIMITS: BodyLimits = {
  decompressedBytesMax: LIMITS.decompressedBytesMax,
  documentsMax: LIMITS.requestDocumentsMax,
  depthMax: LIMITS.bodyDepthMax,
  // 1000 documents of 8 fields, and 64 metadata keys with some list values each.
  valuesMax: 500_000,
  zstdFramesMax: 1024,
  zstdWindowLogMax: 23,
};
