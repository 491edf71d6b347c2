import { hexOf } from "../base/bytes.ts";
import { sha256Sync } from "../base/hash.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { PackRecord } from "../contract/pack-record.ts";
import type { ZstdCodec } from "../zstd/zstd-codec.ts";
import type { ZstdDictionary } from "../zstd/zstd-dictionary.ts";
import { isKeyBefore, type RecordKey } from "./record-key.ts";
import type { WordCode } from "./columns/word-code.ts";
import { decodeBlock } from "./decode-block.ts";
import { type PackDerivations, withDerived } from "./derivations.ts";
import { wordCodeOf } from "./dictionary-words.ts";
import type { EncodedBlock } from "./encoded-block.ts";
import type { PackError } from "./pack-error.ts";
import { type BlockEntry, blockOffset, decodeFooter, type PackFooter, shortDigest } from "./pack-footer.ts";
import { HEADER_BYTES, readHeader, readTrailer, type Trailer, TRAILER_BYTES } from "./pack-layout.ts";
import type { PackLimits } from "./pack-limits.ts";
import { decodeVectors, vectorPartBytes } from "./vector-block.ts";
import { decompressPlanes } from "./vector-frames.ts";

/** Where a pack lies: a file, an R2 object, an HTTP resource with Range. */
export interface PackSource {
  readonly sizeBytes: number;
  /** Exactly those bytes; fewer mean that the object is shorter than it was said to be. */
  read(range: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
}

export interface PackReaderOptions {
  readonly zstd: Pick<ZstdCodec, "decompress">;
  readonly dictionaryOf: (id: string) => Promise<ZstdDictionary | undefined>;
  readonly derivations: PackDerivations;
  readonly limits: PackLimits;
}

/** Bytes read first: trailer and footer of nearly every pack. */
const FIRST_READ_BYTES = 64 * 1024;

/** Opens a pack by its end: one read, two where the index is larger than `FIRST_READ_BYTES`. */
export async function openPack(source: PackSource, options: PackReaderOptions): Promise<Result<PackReader, PackError>> {
  if (source.sizeBytes < HEADER_BYTES + TRAILER_BYTES) return err({ code: "pack_truncated" });
  const length = Math.min(source.sizeBytes, FIRST_READ_BYTES);
  const tail = await readExactly(source, source.sizeBytes - length, length);
  if (!tail.ok) return tail;
  const trailer = readTrailer(tail.value);
  if (!trailer.ok) return trailer;
  const footer = await readFooter(source, { tail: tail.value, trailer: trailer.value, options });
  if (!footer.ok) return footer;
  const { dictionaryId, blocks } = footer.value;
  if (blocks.reduce((sum, block) => sum + block.recordCount, 0) !== trailer.value.recordCount)
    return err({ code: "pack_damaged" });
  const dictionary = dictionaryId === null ? undefined : await options.dictionaryOf(dictionaryId);
  if (dictionaryId !== null && dictionary?.id !== dictionaryId)
    return err({ code: "dictionary_missing", dictionaryId });
  return ok(new PackReader(source, { ...options, footer: footer.value, trailer: trailer.value, dictionary }));
}

async function readFooter(
  source: PackSource,
  { tail, trailer, options }: { tail: Uint8Array; trailer: Trailer; options: PackReaderOptions },
): Promise<Result<PackFooter, PackError>> {
  const { footerStoredBytes: stored, footerRawBytes: raw } = trailer;
  const { footerBytesMax: max } = options.limits;
  if (stored > max || raw > max)
    return err({ code: "pack_too_large", what: "footer bytes", value: Math.max(stored, raw), max });
  const offset = source.sizeBytes - TRAILER_BYTES - stored;
  if (offset < HEADER_BYTES) return err({ code: "pack_damaged" });
  const inTail = tail.length - TRAILER_BYTES - stored;
  const bytes =
    inTail >= 0 ? ok(tail.subarray(inTail, tail.length - TRAILER_BYTES)) : await readExactly(source, offset, stored);
  if (!bytes.ok) return bytes;
  if (shortDigest(sha256Sync(bytes.value)) !== hexOf(trailer.footerDigest)) return err({ code: "pack_damaged" });
  const content = options.zstd.decompress(bytes.value, { bytesMax: raw });
  if (!content.ok || content.value.length !== raw) return err({ code: "pack_damaged" });
  return decodeFooter(content.value, options.limits, offset - HEADER_BYTES);
}

async function readExactly(source: PackSource, offset: number, length: number): Promise<Result<Uint8Array, PackError>> {
  try {
    const bytes = await source.read({ offset, length });
    return bytes.length === length ? ok(bytes) : err({ code: "pack_truncated" });
  } catch (cause) {
    return err({ code: "storage_unavailable", cause });
  }
}

/** An opened pack. Holds the index and one block at a time. */
export class PackReader {
  readonly footer: PackFooter;
  readonly trailer: Trailer;
  /** What the texts of the blocks are coded with, null for none. */
  readonly words: WordCode | null;
  readonly #source: PackSource;
  readonly #options: PackReaderOptions;
  readonly #dictionary: ZstdDictionary | undefined;

  constructor(
    source: PackSource,
    opened: PackReaderOptions & {
      readonly footer: PackFooter;
      readonly trailer: Trailer;
      readonly dictionary: ZstdDictionary | undefined;
    },
  ) {
    this.#source = source;
    this.#options = opened;
    this.#dictionary = opened.dictionary;
    this.words = wordCodeOf(opened.dictionary);
    this.footer = opened.footer;
    this.trailer = opened.trailer;
  }

  /** The dictionary that the blocks need. */
  get dictionary(): ZstdDictionary | undefined {
    return this.#dictionary;
  }

  /** Records of one block with their vectors: one read. Errors name the block. */
  async readBlock(block: number): Promise<Result<readonly PackRecord[], PackError>> {
    const stored = await this.readStoredBlock(block);
    return stored.ok ? this.decodeBlock(block, stored.value) : stored;
  }

  /** One block with its vectors as it is stored: one read, unchecked. */
  async readStoredBlock(block: number): Promise<Result<Uint8Array, PackError>> {
    const entry = this.footer.blocks[block];
    if (entry === undefined) return err({ code: "pack_damaged", block });
    const offset = blockOffset(this.footer, block, HEADER_BYTES);
    return readExactly(this.#source, offset, entry.storedBytes + entry.vectorStoredBytes);
  }

  /** The records of a block as it is stored, its digests checked. */
  decodeBlock(block: number, stored: Uint8Array): Result<readonly PackRecord[], PackError> {
    const entry = this.footer.blocks[block];
    const records = entry === undefined ? undefined : this.#decode(entry, stored);
    return records === undefined ? err({ code: "pack_damaged", block }) : ok(records);
  }

  /** A block as it was before compression, of the bytes that are stored, its digest checked; without its vectors. Undefined where it is damaged. */
  decompressBlock(entry: BlockEntry, stored: Uint8Array): EncodedBlock | undefined {
    const block = stored.subarray(0, entry.storedBytes);
    if (shortDigest(sha256Sync(block)) !== entry.digest) return undefined;
    const frameBytes = entry.storedBytes - entry.tailBytes;
    const content = this.#options.zstd.decompress(block.subarray(0, frameBytes), {
      bytesMax: entry.rawBytes,
      dictionary: this.#dictionary,
    });
    if (!content.ok || content.value.length !== entry.rawBytes) return undefined;
    return { content: content.value, tail: block.subarray(frameBytes) };
  }

  /** The record at a place in the pack: one read. Undefined beyond the end. */
  async readRecord(position: number): Promise<Result<PackRecord | undefined, PackError>> {
    let first = 0;
    for (const [block, { recordCount }] of this.footer.blocks.entries()) {
      if (position >= first && position < first + recordCount) {
        const records = await this.readBlock(block);
        return records.ok ? ok(records.value[position - first]) : records;
      }
      first += recordCount;
    }
    return ok(undefined);
  }

  /** The record of a key: one read in a sorted pack, otherwise one a block until it is found. */
  async findRecord(key: RecordKey): Promise<Result<PackRecord | undefined, PackError>> {
    const { blocks, isSorted } = this.footer;
    const isBeyond = ({ firstUserId, firstDocumentId }: BlockEntry): boolean =>
      isKeyBefore(key, { user_id: firstUserId, document_id: firstDocumentId });
    const beyond = blocks.findIndex(isBeyond);
    const last = isSorted && beyond !== -1 ? beyond - 1 : blocks.length - 1;
    for (let block = isSorted ? last : 0; block >= 0 && block <= last; block++) {
      const records = await this.readBlock(block);
      if (!records.ok) return records;
      const found = records.value.find((each) => each.user_id === key.user_id && each.document_id === key.document_id);
      if (found !== undefined) return ok(found);
    }
    return ok(undefined);
  }

  /** The header says what the footer says. */
  async checkHeader(): Promise<Result<void, PackError>> {
    const bytes = await readExactly(this.#source, 0, HEADER_BYTES);
    if (!bytes.ok) return bytes;
    const header = readHeader(bytes.value);
    if (!header.ok) return header;
    return header.value.dictionaryId === this.footer.dictionaryId ? ok(undefined) : err({ code: "pack_damaged" });
  }

  #decode(entry: BlockEntry, stored: Uint8Array): PackRecord[] | undefined {
    const { limits, derivations } = this.#options;
    const block = this.decompressBlock(entry, stored);
    if (block === undefined) return undefined;
    const decoded = decodeBlock(block, limits, this.words);
    if (!decoded.ok || decoded.value.records.length !== entry.recordCount) return undefined;
    const { records, hasVector } = decoded.value;
    const vectors = this.#decodeVectors(entry, stored.subarray(entry.storedBytes));
    const isAsCounted = entry.vectorCount === (this.footer.vectors === null ? 0 : hasVector.filter(Boolean).length);
    if (vectors === undefined || !isAsCounted) return undefined;
    const context = { derivations, head: this.footer.head };
    return withVectors(records, hasVector, vectors).map((record) => withDerived(record, context));
  }

  #decodeVectors(entry: BlockEntry, stored: Uint8Array): Float32Array[] | undefined {
    const { vectors } = this.footer;
    if (vectors === null || entry.vectorCount === 0) return [];
    if (shortDigest(sha256Sync(stored)) !== entry.vectorDigest) return undefined;
    const { kind, dimensions } = vectors;
    const { vectorCount: count } = entry;
    const bytes = decompressPlanes(this.#options.zstd, stored, vectorPartBytes(kind, dimensions, count));
    return bytes === undefined ? undefined : decodeVectors(kind, dimensions, { bytes, count });
  }
}

function withVectors(
  records: readonly PackRecord[],
  hasVector: readonly boolean[],
  vectors: readonly Float32Array[],
): readonly PackRecord[] {
  if (vectors.length === 0) return records;
  let chunkIndex = 0;
  let vectorIndex = 0;
  return records.map((record) => ({
    ...record,
    chunks: record.chunks.map((chunk) =>
      hasVector[chunkIndex++] === true ? { ...chunk, vector: vectors[vectorIndex++] ?? null } : chunk,
    ),
  }));
}
