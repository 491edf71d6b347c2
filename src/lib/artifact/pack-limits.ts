import { LIMITS } from "../base/limits.ts";

/** Bounds of every pack that we write, and of what a decoder takes. */
export interface PackLimits {
  /** Records of one block: what is decompressed to read one of them. */
  readonly blockRecordsMax: number;
  readonly blockChunksMax: number;
  readonly blockColumnsMax: number;
  /** Bytes of one block before compression, of its vectors likewise. */
  readonly blockBytesMax: number;
  readonly blocksMax: number;
  readonly footerBytesMax: number;
}

export const PACK_LIMITS: PackLimits = {
  blockRecordsMax: 64,
  /** A text of `documentBytesMax` in chunks of one sentence each. */
  blockChunksMax: 16_384,
  /** Every record of a block with other metadata, and the fields. */
  blockColumnsMax: 64 * LIMITS.metadataKeysMax + 64,
  /** A block's text budget, one largest document behind it whose text and chunks differ, and what lies around them. */
  blockBytesMax: 8 * LIMITS.documentBytesMax,
  /** 65,536 documents: the index of the largest pack is about 100 KB. */
  blocksMax: 4_096,
  footerBytesMax: 1024 * 1024,
};

/** UTF-16 units of text after which a block is closed before it has its 64 records. */
export const BLOCK_TEXT_LENGTH = 512 * 1024;
