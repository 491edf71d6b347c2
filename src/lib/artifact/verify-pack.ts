import { createHash } from "node:crypto";
import { hexOf } from "../base/bytes.ts";
import { TRAILER_BYTES } from "./pack-layout.ts";
import type { PackReader, PackSource } from "./pack-reader.ts";

/** What a whole pack was found to be. It is sound when nothing is damaged and both digests are right. */
export interface PackVerdict {
  readonly recordCount: number;
  readonly chunkCount: number;
  readonly vectorCount: number;
  readonly blockCount: number;
  /** Places of the blocks that cannot be believed. */
  readonly damagedBlocks: readonly number[];
  readonly isHeaderSound: boolean;
  readonly isFileDigestSound: boolean;
  readonly isSound: boolean;
}

/** Bytes of one read while the whole is hashed. */
const READ_BYTES = 1024 * 1024;

/** Reads every block and hashes every byte; one block is in memory at a time. Rejects when the source does. */
export async function verifyPack(reader: PackReader, source: PackSource): Promise<PackVerdict> {
  let [recordCount, chunkCount, vectorCount] = [0, 0, 0];
  const damagedBlocks: number[] = [];
  for (const block of reader.footer.blocks.keys()) {
    const records = await reader.readBlock(block);
    if (!records.ok) {
      damagedBlocks.push(block);
      continue;
    }
    recordCount += records.value.length;
    for (const { chunks } of records.value) {
      chunkCount += chunks.length;
      vectorCount += chunks.filter(({ vector }) => vector !== null).length;
    }
  }
  const isHeaderSound = (await reader.checkHeader()).ok;
  const isFileDigestSound = (await contentDigest(source)) === hexOf(reader.trailer.fileDigest);
  return {
    recordCount,
    chunkCount,
    vectorCount,
    blockCount: reader.footer.blocks.length,
    damagedBlocks,
    isHeaderSound,
    isFileDigestSound,
    isSound: damagedBlocks.length === 0 && isHeaderSound && isFileDigestSound,
  };
}

/** SHA-256 of all bytes before the trailer. */
async function contentDigest(source: PackSource): Promise<string> {
  const hash = createHash("sha256");
  const end = source.sizeBytes - TRAILER_BYTES;
  for (let offset = 0; offset < end; offset += READ_BYTES)
    hash.update(await source.read({ offset, length: Math.min(READ_BYTES, end - offset) }));
  return hash.digest("hex");
}
