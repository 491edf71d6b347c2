/**
 * The fixed part of a WAL object: where what lies. Bytes only, no msgpack, no compression. docs/FORMATS.md has the table.
 * Each range is a block of its own, so that a consumer reads one range of a large object and not all of it.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { DocumentRange } from "./split-ranges.ts";
import type { WalError } from "./wal-error.ts";

/** "JVWL" in ASCII, big-endian. */
const MAGIC = 0x4a56574c;
export const WAL_VERSION = 1;
export const FIXED_BYTES = 28;
export const RANGE_ENTRY_BYTES = 24;
export const HEADER_DIGEST_BYTES = 16;
export const BLOCK_DIGEST_BYTES = 8;

export const CODEC_RAW = 0;
export const CODEC_ZSTD = 1;

/** One range: its documents, and its block as stored. `digest` is the first 8 bytes of the stored block's SHA-256. */
export interface RangeEntry extends DocumentRange {
  readonly codec: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly digest: Uint8Array;
}

export interface WalLayout {
  readonly headBytes: number;
  /** First 16 bytes of the SHA-256 over range table and head. With the block digests in the table it stands for the whole object. */
  readonly digest: Uint8Array;
  readonly ranges: readonly RangeEntry[];
  /** Where the first block starts. */
  readonly blocksOffset: number;
  readonly totalBytes: number;
}

/** Bounds of a decoder. */
export interface WalLimits {
  readonly rangesMax: number;
  readonly documentsMax: number;
  /** Bytes of the head's msgpack. */
  readonly headBytesMax: number;
  /** Bytes of one decompressed block. */
  readonly blockBytesMax: number;
  /** Bytes of the whole object as stored. */
  readonly objectBytesMax: number;
}

/** Writes the range table, the part between the fixed header and the head. */
export function writeRangeTable(ranges: readonly RangeEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ranges.length * RANGE_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, range] of ranges.entries()) {
    const at = index * RANGE_ENTRY_BYTES;
    view.setUint16(at, range.documentStart);
    view.setUint16(at + 2, range.documentCount);
    view.setUint8(at + 4, range.codec);
    view.setUint32(at + 8, range.rawBytes);
    view.setUint32(at + 12, range.storedBytes);
    bytes.set(range.digest.subarray(0, BLOCK_DIGEST_BYTES), at + 16);
  }
  return bytes;
}

/** Writes the fixed header into the first `FIXED_BYTES` of `target`. */
export function writeFixedHeader(
  target: Uint8Array,
  fields: { rangeCount: number; headBytes: number; digest: Uint8Array },
): void {
  const view = new DataView(target.buffer, target.byteOffset, FIXED_BYTES);
  view.setUint32(0, MAGIC);
  view.setUint8(4, WAL_VERSION);
  view.setUint16(6, fields.rangeCount);
  view.setUint32(8, fields.headBytes);
  target.set(fields.digest.subarray(0, HEADER_DIGEST_BYTES), 12);
}

/** Reads header and range table from the start of an object; `bytes` may stop anywhere after them. Nothing is allocated before it is checked. */
export function readLayout(bytes: Uint8Array, limits: WalLimits): Result<WalLayout, WalError> {
  if (bytes.length < FIXED_BYTES) return err({ code: "wal_truncated" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return err({ code: "wal_not_recognized" });
  const version = view.getUint8(4);
  if (version !== WAL_VERSION) return err({ code: "wal_version_unsupported", version });
  const rangeCount = view.getUint16(6);
  const headBytes = view.getUint32(8);
  if (rangeCount > limits.rangesMax)
    return err({
      code: "wal_too_large",
      bytes: rangeCount * RANGE_ENTRY_BYTES,
      bytesMax: limits.rangesMax * RANGE_ENTRY_BYTES,
    });
  if (headBytes > limits.headBytesMax)
    return err({ code: "wal_too_large", bytes: headBytes, bytesMax: limits.headBytesMax });
  const blocksOffset = FIXED_BYTES + rangeCount * RANGE_ENTRY_BYTES + headBytes;
  if (bytes.length < blocksOffset) return err({ code: "wal_truncated" });
  const ranges = readRangeTable(view, rangeCount, limits);
  if (!ranges.ok) return ranges;
  const totalBytes = ranges.value.reduce((sum, range) => sum + range.storedBytes, blocksOffset);
  if (totalBytes > limits.objectBytesMax)
    return err({ code: "wal_too_large", bytes: totalBytes, bytesMax: limits.objectBytesMax });
  return ok({
    headBytes,
    digest: bytes.slice(12, 12 + HEADER_DIGEST_BYTES),
    ranges: ranges.value,
    blocksOffset,
    totalBytes,
  });
}

function readRangeTable(view: DataView, rangeCount: number, limits: WalLimits): Result<RangeEntry[], WalError> {
  const ranges: RangeEntry[] = [];
  let nextDocument = 0;
  for (let index = 0; index < rangeCount; index++) {
    const at = FIXED_BYTES + index * RANGE_ENTRY_BYTES;
    const entry: RangeEntry = {
      documentStart: view.getUint16(at),
      documentCount: view.getUint16(at + 2),
      codec: view.getUint8(at + 4),
      rawBytes: view.getUint32(at + 8),
      storedBytes: view.getUint32(at + 12),
      digest: new Uint8Array(
        view.buffer.slice(view.byteOffset + at + 16, view.byteOffset + at + 16 + BLOCK_DIGEST_BYTES),
      ),
    };
    if (entry.documentStart !== nextDocument || entry.documentCount === 0) return err({ code: "wal_damaged" });
    if (entry.codec !== CODEC_RAW && entry.codec !== CODEC_ZSTD) return err({ code: "wal_damaged" });
    if (entry.rawBytes > limits.blockBytesMax)
      return err({ code: "wal_too_large", bytes: entry.rawBytes, bytesMax: limits.blockBytesMax });
    nextDocument += entry.documentCount;
    ranges.push(entry);
  }
  if (nextDocument > limits.documentsMax) return err({ code: "wal_damaged" });
  return ok(ranges);
}

/** Offset of the block of one range from the start of the object. */
export function blockOffset(layout: WalLayout, rangeIndex: number): number {
  let offset = layout.blocksOffset;
  for (const range of layout.ranges.slice(0, rangeIndex)) offset += range.storedBytes;
  return offset;
}
