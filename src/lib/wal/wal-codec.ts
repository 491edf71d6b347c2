/** WAL objects to bytes and back. msgpack for the content, zstd for blocks where it pays. The only door to msgpack in this room. */
import { decode, encode } from "@msgpack/msgpack";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { z } from "zod";
import { areEqualBytes } from "../base/bytes.ts";
import { sha256Sync } from "../base/hash.ts";
import { LIMITS, ZLIB_OUTPUT_SLACK_BYTES } from "../base/limits.ts";
import { err, ok, type Result } from "../base/result.ts";
import { walDocumentSchema, walRecordSchema, type WalDocument, type WalRecord } from "../contract/wal-record.ts";
import type { DocumentRange } from "./split-ranges.ts";
import type { WalError } from "./wal-error.ts";
import {
  blockOffset,
  BLOCK_DIGEST_BYTES,
  CODEC_RAW,
  CODEC_ZSTD,
  FIXED_BYTES,
  HEADER_DIGEST_BYTES,
  readLayout,
  writeFixedHeader,
  writeRangeTable,
  type RangeEntry,
  type WalLayout,
  type WalLimits,
} from "./wal-layout.ts";

/** What stands once in a WAL object: the record without its documents. */
export const walHeadSchema = walRecordSchema.omit({ documents: true });
export type WalHead = z.infer<typeof walHeadSchema>;

const walDocumentsSchema = z.array(walDocumentSchema);

/**
 * Blocks under this many bytes stay raw: zstd costs about 25 µs whatever the size in workerd and saves less than one KB there
 * (1 KB of prose to 0.2..0.6 KB), while R2 bills by operation. Measured: 4 KB 26 µs, 16 KB 40 µs, 100 KB 205 µs; gzip 54, 320, 2,710 µs.
 */
const COMPRESS_FROM_BYTES = 4096;

const DECODE_LIMITS = {
  maxStrLength: LIMITS.documentBytesMax * 2,
  maxBinLength: 0,
  maxExtLength: 0,
  maxArrayLength: LIMITS.metadataBytesMax,
  maxMapLength: LIMITS.metadataKeysMax,
} as const;

export interface EncodedWal {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** First 16 bytes of the SHA-256 that stands for the whole object. */
  readonly digest: Uint8Array;
}

/**
 * Bytes of one record, one block a range. `ranges` must cover the documents in order (see `splitRanges`). Synchronous, hashes included: a turn of
 * the event loop for each of them costs more than hashing.
 */
export function encodeWal(
  head: WalHead,
  documents: readonly WalDocument[],
  ranges: readonly DocumentRange[],
): EncodedWal {
  const blocks: Uint8Array[] = [];
  const entries: RangeEntry[] = [];
  for (const range of ranges) {
    const raw = encode(documents.slice(range.documentStart, range.documentStart + range.documentCount));
    const packed = raw.length < COMPRESS_FROM_BYTES ? raw : zstdCompressSync(raw);
    const stored = packed.length < raw.length ? packed : raw;
    const digest = sha256Sync(stored).subarray(0, BLOCK_DIGEST_BYTES);
    blocks.push(stored);
    entries.push({
      ...range,
      codec: stored === raw ? CODEC_RAW : CODEC_ZSTD,
      rawBytes: raw.length,
      storedBytes: stored.length,
      digest,
    });
  }
  return assemble(encode(head), entries, blocks);
}

function assemble(head: Uint8Array, entries: readonly RangeEntry[], blocks: readonly Uint8Array[]): EncodedWal {
  const table = writeRangeTable(entries);
  const blocksOffset = FIXED_BYTES + table.length + head.length;
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, blocksOffset));
  bytes.set(table, FIXED_BYTES);
  bytes.set(head, FIXED_BYTES + table.length);
  const digest = sha256Sync(bytes.subarray(FIXED_BYTES, blocksOffset)).subarray(0, HEADER_DIGEST_BYTES);
  writeFixedHeader(bytes, { rangeCount: entries.length, headBytes: head.length, digest });
  let offset = blocksOffset;
  for (const block of blocks) {
    bytes.set(block, offset);
    offset += block.length;
  }
  return { bytes, digest };
}

export interface OpenedWal {
  readonly layout: WalLayout;
  readonly head: WalHead;
}

/** Reads layout and head from the start of an object, its digest checked. `bytes` may stop anywhere after the head. */
export function openWal(bytes: Uint8Array, limits: WalLimits): Result<OpenedWal, WalError> {
  const layout = readLayout(bytes, limits);
  if (!layout.ok) return layout;
  const { blocksOffset, digest, headBytes } = layout.value;
  const found = sha256Sync(bytes.subarray(FIXED_BYTES, blocksOffset));
  if (!areEqualBytes(found.subarray(0, HEADER_DIGEST_BYTES), digest)) return err({ code: "wal_damaged" });
  const head = decodeAs(walHeadSchema, bytes.subarray(blocksOffset - headBytes, blocksOffset));
  return head.ok ? ok({ layout: layout.value, head: head.value }) : head;
}

/** Documents of one range from its stored block, its digest checked before anything is decompressed. */
export function decodeBlock(block: Uint8Array, entry: RangeEntry): Result<WalDocument[], WalError> {
  if (block.length !== entry.storedBytes) return err({ code: "wal_truncated" });
  const found = sha256Sync(block);
  if (!areEqualBytes(found.subarray(0, BLOCK_DIGEST_BYTES), entry.digest)) return err({ code: "wal_damaged" });
  const raw = rawBlock(block, entry);
  if (raw?.length !== entry.rawBytes) return err({ code: "wal_damaged" });
  const documents = decodeAs(walDocumentsSchema, raw);
  if (documents.ok && documents.value.length !== entry.documentCount) return err({ code: "wal_damaged" });
  return documents;
}

/** The whole record of a complete object. */
export function decodeWal(bytes: Uint8Array, limits: WalLimits): Result<WalRecord, WalError> {
  const opened = openWal(bytes, limits);
  if (!opened.ok) return opened;
  const { layout, head } = opened.value;
  if (bytes.length !== layout.totalBytes)
    return err({ code: bytes.length < layout.totalBytes ? "wal_truncated" : "wal_damaged" });
  const documents: WalDocument[] = [];
  for (const [index, entry] of layout.ranges.entries()) {
    const offset = blockOffset(layout, index);
    const block = decodeBlock(bytes.subarray(offset, offset + entry.storedBytes), entry);
    if (!block.ok) return block;
    documents.push(...block.value);
  }
  return ok({ ...head, documents });
}

function rawBlock(block: Uint8Array, entry: RangeEntry): Uint8Array | undefined {
  if (entry.codec === CODEC_RAW) return block;
  try {
    return zstdDecompressSync(block, { maxOutputLength: entry.rawBytes + ZLIB_OUTPUT_SLACK_BYTES });
  } catch {
    return undefined;
  }
}

function decodeAs<T>(schema: z.ZodType<T>, bytes: Uint8Array): Result<T, WalError> {
  try {
    const parsed = schema.safeParse(decode(bytes, DECODE_LIMITS));
    return parsed.success ? ok(parsed.data) : err({ code: "wal_invalid" });
  } catch {
    return err({ code: "wal_invalid" });
  }
}
