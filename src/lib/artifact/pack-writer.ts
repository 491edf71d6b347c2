import { createHash } from "node:crypto";
import { assert } from "../base/assert.ts";
import { joinBytes } from "../base/bytes.ts";
import { sha256Sync } from "../base/hash.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { PackRecord } from "../contract/pack-record.ts";
import type { ZstdCodec } from "../zstd/zstd-codec.ts";
import type { ZstdDictionary } from "../zstd/zstd-dictionary.ts";
import { isKeyBefore, type RecordKey } from "./record-key.ts";
import type { WordCode } from "./columns/word-code.ts";
import type { PackDerivations } from "./derivations.ts";
import { wordCodeOf } from "./dictionary-words.ts";
import { encodeBlock } from "./encode-block.ts";
import {
  type BlockEntry,
  encodeFooter,
  NO_DIGEST,
  type PackHead,
  type PackVectors,
  shortDigest,
} from "./pack-footer.ts";
import { writeHeader, writeTrailer } from "./pack-layout.ts";
import { BLOCK_TEXT_LENGTH, type PackLimits } from "./pack-limits.ts";
import type { PackError } from "./pack-error.ts";
import { encodeVectors, vectorPartBytes } from "./vector-block.ts";
import { compressPlanes } from "./vector-frames.ts";

/** Takes the bytes of a pack in order. A write that rejects ends the pack. */
export interface PackSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface PackWriterOptions {
  readonly zstd: Pick<ZstdCodec, "compress">;
  readonly dictionary: ZstdDictionary | null;
  readonly head: PackHead;
  readonly vectors: PackVectors | null;
  readonly derivations: PackDerivations;
  readonly limits: PackLimits;
  readonly sink: PackSink;
}

export interface PackSummary {
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** SHA-256 of the whole file, hexadecimal: what `sha256sum` says. */
  readonly sha256: string;
}

/** Level of records: 64 of them are a few kilobytes, where level 19 takes milliseconds and saves 5 % against 9. */
export const RECORD_LEVEL = 19;

/**
 * Writes a pack block by block: it holds at most one block of records and the index. Records come in the order in which they compress best, that is as
 * they were said; sorted by (user_id, document_id) they are found by id as well. Equal records and options give equal bytes.
 */
export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #words: WordCode | null;
  /** Of all before the trailer, and of all. */
  readonly #contentHash = createHash("sha256");
  readonly #fileHash = createHash("sha256");
  readonly #blocks: BlockEntry[] = [];
  #pending: PackRecord[] = [];
  #pendingLength = 0;
  #pendingChunks = 0;
  /** Of the last record, or of the first one of a block that was taken over. */
  #last: RecordKey | undefined;
  #isSorted = true;
  #recordCount = 0;
  #sizeBytes = 0;

  constructor(options: PackWriterOptions) {
    this.#options = options;
    this.#words = wordCodeOf(options.dictionary);
  }

  /** Errors: `pack_too_large` when the pack is full or this record larger than any block may be. */
  async add(record: PackRecord): Promise<Result<void, PackError>> {
    if (this.#sizeBytes === 0) await this.#write(writeHeader(this.#options.dictionary?.id ?? null));
    const length = textLengthOf(record);
    const { blockRecordsMax, blockChunksMax } = this.#options.limits;
    const isFull =
      this.#pending.length >= blockRecordsMax ||
      this.#pendingLength + length > BLOCK_TEXT_LENGTH ||
      this.#pendingChunks + record.chunks.length > blockChunksMax;
    if (isFull && this.#pending.length > 0) {
      const flushed = await this.#flush();
      if (!flushed.ok) return flushed;
    }
    this.#noteOrder(record);
    this.#pending.push(record);
    this.#pendingLength += length;
    this.#pendingChunks += record.chunks.length;
    return ok(undefined);
  }

  /**
   * Takes over a block of a pack with the same head, dictionary and vectors as it is: nothing of it is decoded or compressed anew. Errors: `pack_too_large`.
   */
  async addBlock(entry: BlockEntry, stored: Uint8Array): Promise<Result<void, PackError>> {
    if (this.#sizeBytes === 0) await this.#write(writeHeader(this.#options.dictionary?.id ?? null));
    const flushed = await this.#flush();
    if (!flushed.ok) return flushed;
    if (this.#blocks.length >= this.#options.limits.blocksMax) return this.#tooManyBlocks();
    this.#noteOrder({ user_id: entry.firstUserId, document_id: entry.firstDocumentId });
    await this.#write(stored);
    this.#blocks.push(entry);
    this.#recordCount += entry.recordCount;
    return ok(undefined);
  }

  #noteOrder(key: RecordKey): void {
    if (this.#last !== undefined && isKeyBefore(key, this.#last)) this.#isSorted = false;
    this.#last = key;
  }

  #tooManyBlocks(): Result<never, PackError> {
    const { blocksMax } = this.#options.limits;
    return err({ code: "pack_too_large", what: "blocks", value: this.#blocks.length + 1, max: blocksMax });
  }

  /** Writes what is pending, the index and the trailer. Nothing may be added after. */
  async finish(): Promise<Result<PackSummary, PackError>> {
    const { dictionary, head, vectors, zstd } = this.#options;
    if (this.#sizeBytes === 0) await this.#write(writeHeader(dictionary?.id ?? null));
    const flushed = await this.#flush();
    if (!flushed.ok) return flushed;
    const raw = encodeFooter({
      head,
      dictionaryId: dictionary?.id ?? null,
      vectors,
      isSorted: this.#isSorted,
      blocks: this.#blocks,
    });
    const stored = zstd.compress(raw, { level: RECORD_LEVEL });
    await this.#write(stored);
    const trailer = writeTrailer({
      footerStoredBytes: stored.length,
      footerRawBytes: raw.length,
      footerDigest: sha256Sync(stored),
      fileDigest: this.#contentHash.digest(),
      recordCount: this.#recordCount,
    });
    await this.#send(trailer);
    return ok({ recordCount: this.#recordCount, sizeBytes: this.#sizeBytes, sha256: this.#fileHash.digest("hex") });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#contentHash.update(bytes);
    await this.#send(bytes);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    this.#fileHash.update(bytes);
    this.#sizeBytes += bytes.length;
    await this.#options.sink.write(bytes);
  }

  async #flush(): Promise<Result<void, PackError>> {
    const records = this.#pending;
    const [first] = records;
    if (first === undefined) return ok(undefined);
    const { zstd, dictionary, limits, derivations, head } = this.#options;
    if (this.#blocks.length >= limits.blocksMax) return this.#tooManyBlocks();
    const { content, tail } = encodeBlock(records, { derivations, head }, this.#words);
    const blockBytes = content.length + tail.length;
    if (blockBytes > limits.blockBytesMax)
      return err({ code: "pack_too_large", what: "block bytes", value: blockBytes, max: limits.blockBytesMax });
    const frame = zstd.compress(content, { level: RECORD_LEVEL, dictionary: dictionary ?? undefined });
    const stored = joinBytes([frame, tail]);
    await this.#write(stored);
    const vectors = await this.#writeVectors(records);
    this.#blocks.push({
      recordCount: records.length,
      rawBytes: content.length,
      storedBytes: stored.length,
      tailBytes: tail.length,
      digest: shortDigest(sha256Sync(stored)),
      ...vectors,
      firstUserId: first.user_id,
      firstDocumentId: first.document_id,
    });
    this.#recordCount += records.length;
    this.#pending = [];
    this.#pendingLength = 0;
    this.#pendingChunks = 0;
    return ok(undefined);
  }

  async #writeVectors(
    records: readonly PackRecord[],
  ): Promise<Pick<BlockEntry, "vectorCount" | "vectorStoredBytes" | "vectorDigest">> {
    const { zstd, vectors } = this.#options;
    const rows = records.flatMap(({ chunks }) => chunks.flatMap(({ vector }) => (vector === null ? [] : [vector])));
    assert(vectors !== null || rows.length === 0, "a pack without vectors gets none");
    if (vectors === null || rows.length === 0) return { vectorCount: 0, vectorStoredBytes: 0, vectorDigest: NO_DIGEST };
    const { kind, dimensions } = vectors;
    const sizes = vectorPartBytes(kind, dimensions, rows.length);
    const stored = compressPlanes(zstd, encodeVectors(kind, dimensions, rows), sizes);
    await this.#write(stored);
    return {
      vectorCount: rows.length,
      vectorStoredBytes: stored.length,
      vectorDigest: shortDigest(sha256Sync(stored)),
    };
  }
}

function textLengthOf({ text, chunks }: PackRecord): number {
  return text === null ? chunks.reduce((sum, chunk) => sum + chunk.text.length, 0) : text.length;
}
