import { crc32 } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import {
  FOOTER_BYTES,
  FOOTER_MAGIC,
  FOOTER_MARK,
  PREFIX_BYTES,
  RECORD_PREFIX_BYTES,
  recordCrc,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
  type SegmentHead,
} from "./segment-layout.ts";

/** The start of a segment. */
export function segmentHeader(head: SegmentHead): Uint8Array<ArrayBuffer> {
  const body = encode(head);
  const bytes = new Uint8Array(PREFIX_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SEGMENT_MAGIC);
  view.setUint8(4, SEGMENT_VERSION);
  view.setUint32(8, body.length);
  view.setUint32(12, crc32(body));
  bytes.set(body, PREFIX_BYTES);
  return bytes;
}

/** Bytes that a record of a payload takes. */
export function segmentRecordBytes(payloadBytes: number): number {
  return RECORD_PREFIX_BYTES + payloadBytes;
}

/** Writes one record, a frame's msgpack, at `offset` of `target` and returns the offset behind it. */
export function writeSegmentRecord(target: Uint8Array, offset: number, payload: Uint8Array): number {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(offset, payload.length);
  view.setUint32(offset + 4, recordCrc(payload));
  target.set(payload, offset + RECORD_PREFIX_BYTES);
  return offset + segmentRecordBytes(payload.length);
}

/** The end of a sealed segment. */
export function segmentFooter(recordCount: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, FOOTER_MARK);
  view.setUint32(4, recordCount);
  view.setUint32(8, crc32(bytes.subarray(0, 8)));
  view.setUint32(12, FOOTER_MAGIC);
  return bytes;
}
