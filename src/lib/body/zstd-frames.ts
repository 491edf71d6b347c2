/** Finds the frames of a zstd stream (RFC 8878, section 3) without decompressing: where each ends, and what it claims. */
import { err, ok, type Result } from "../base/result.ts";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** Bytes of history the decoder must keep. For a frame that names its content as its window this is the content's size. */
  readonly windowBytes: number;
  readonly singleSegment: boolean;
  readonly contentBytes: number | undefined;
}

export type ZstdFramesError = { readonly code: "truncated" | "damaged" | "needs_dictionary" | "too_many_frames" };

/**
 * Frames in order; skippable frames are left out. Needed because workerd's `zstdDecompressSync` stops after the first frame and ignores
 * what follows (seen in 1.20261117.1), which would drop documents silently.
 */
export function findZstdFrames(bytes: Uint8Array, framesMax: number): Result<ZstdFrame[], ZstdFramesError> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: ZstdFrame[] = [];
  let position = 0;
  let skipped = 0;
  while (position < bytes.length) {
    if (position + 8 > bytes.length) return err({ code: "truncated" });
    if (frames.length + skipped >= framesMax) return err({ code: "too_many_frames" });
    const magic = view.getUint32(position, true);
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      position += 8 + view.getUint32(position + 4, true);
      if (position > bytes.length) return err({ code: "truncated" });
      skipped++;
      continue;
    }
    if (magic !== FRAME_MAGIC) return err({ code: "damaged" });
    const frame = readFrame(view, position);
    if (!frame.ok) return frame;
    frames.push(frame.value);
    position = frame.value.end;
  }
  return frames.length === 0 ? err({ code: "truncated" }) : ok(frames);
}

function readFrame(view: DataView, start: number): Result<ZstdFrame, ZstdFramesError> {
  const descriptor = view.getUint8(start + 4);
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) return err({ code: "damaged" });
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const windowAt = start + 5;
  const dictionaryAt = windowAt + (singleSegment ? 0 : 1);
  const sizeAt = dictionaryAt + dictionaryBytes;
  const blocksAt = sizeAt + sizeBytes;
  if (blocksAt > view.byteLength) return err({ code: "truncated" });
  for (let at = dictionaryAt; at < sizeAt; at++) if (view.getUint8(at) !== 0) return err({ code: "needs_dictionary" });
  const contentBytes = readContentSize(view, sizeAt, sizeBytes);
  const windowBytes = singleSegment ? (contentBytes ?? 0) : readWindow(view.getUint8(windowAt));
  const blocksEnd = skipBlocks(view, blocksAt);
  if (!blocksEnd.ok) return blocksEnd;
  const end = blocksEnd.value + ((descriptor & 0x04) !== 0 ? 4 : 0);
  if (end > view.byteLength) return err({ code: "truncated" });
  return ok({ start, end, windowBytes, singleSegment, contentBytes });
}

function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readContentSize(view: DataView, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return sizeBytes === 8 ? Number(view.getBigUint64(at, true)) : undefined;
}

function skipBlocks(view: DataView, start: number): Result<number, ZstdFramesError> {
  let position = start;
  for (;;) {
    if (position + 3 > view.byteLength) return err({ code: "truncated" });
    const header = view.getUint16(position, true) | (view.getUint8(position + 2) << 16);
    const type = (header >> 1) & 3;
    if (type === BLOCK_RESERVED) return err({ code: "damaged" });
    position += 3 + (type === BLOCK_RLE ? 1 : header >> 3);
    if (position > view.byteLength) return err({ code: "truncated" });
    if ((header & 1) === 1) return ok(position);
  }
}
