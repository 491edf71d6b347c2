import { crc32 } from "node:zlib";
import { decodeWalkedMsgpack } from "../body/decode-msgpack-value.ts";
import { walkMsgpack } from "../body/walk-msgpack.ts";
import { err, ok, type Result } from "../base/result.ts";
import {
  FOOTER_BYTES,
  FOOTER_MAGIC,
  FOOTER_MARK,
  PREFIX_BYTES,
  RECORD_PREFIX_BYTES,
  recordCrc,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
  segmentHeadSchema,
  type SegmentHead,
} from "./segment-layout.ts";

export interface SegmentLimits {
  readonly headBytesMax: number;
  /** Bytes of one record's payload: what the reader may have to hold. */
  readonly recordBytesMax: number;
}

export type SegmentErrorCode =
  | "segment_not_recognized"
  | "segment_version_unsupported"
  | "segment_head_malformed"
  | "segment_record_corrupt"
  | "segment_footer_corrupt"
  | "segment_has_tail";

/** How a segment ended. `wholeBytes` is the offset behind the last whole record: where a torn tail is cut. */
export interface SegmentEnd {
  readonly head: SegmentHead | undefined;
  readonly recordCount: number;
  readonly wholeBytes: number;
  /** `sealed` with its footer; `torn` when the bytes end before it. */
  readonly state: "sealed" | "torn";
}

const HEAD_LIMITS = { depthMax: 2, valuesMax: 32 } as const;
const NO_BYTES = new Uint8Array(0);

function readHead(bytes: Uint8Array): SegmentHead | undefined {
  const walk = walkMsgpack(bytes, 0, HEAD_LIMITS);
  if (!walk.ok || walk.value.end !== bytes.length || !walk.value.stringsAreUtf8) return undefined;
  return segmentHeadSchema.safeParse(decodeWalkedMsgpack(bytes)).data;
}

/**
 * Reads a segment as its bytes come, holding at most one record and one chunk. Every record that is handed out has passed its CRC; the first that does
 * not ends the reading, since the length that leads past it cannot be believed.
 */
export class SegmentReader {
  readonly #limits: SegmentLimits;
  #held: Uint8Array = NO_BYTES;
  #head: SegmentHead | undefined;
  #recordCount = 0;
  #wholeBytes = 0;
  #sealed = false;

  constructor(limits: SegmentLimits) {
    this.#limits = limits;
  }

  /** Payloads of the records that are whole by now. They share memory with the chunk: use or copy them before it is reused. */
  push(chunk: Uint8Array): Result<readonly Uint8Array[], SegmentErrorCode> {
    const bytes = this.#held.length === 0 ? chunk : concatenated(this.#held, chunk);
    const payloads: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      const step = this.#step(bytes, at);
      if (!step.ok) return step;
      if (step.value.bytesRead === 0) break;
      at += step.value.bytesRead;
      this.#wholeBytes += step.value.bytesRead;
      if (step.value.payload !== undefined) payloads.push(step.value.payload);
    }
    this.#held = at === bytes.length ? NO_BYTES : bytes.slice(at);
    return ok(payloads);
  }

  /** To be asked when no more bytes come. */
  end(): SegmentEnd {
    return {
      head: this.#head,
      recordCount: this.#recordCount,
      wholeBytes: this.#wholeBytes,
      state: this.#sealed ? "sealed" : "torn",
    };
  }

  /** Reads what stands at `at`: 0 bytes when it is not whole yet. */
  #step(bytes: Uint8Array, at: number): Result<{ bytesRead: number; payload?: Uint8Array }, SegmentErrorCode> {
    if (this.#sealed) return err("segment_has_tail");
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
    if (this.#head === undefined) return this.#header(bytes, at, view);
    if (view.byteLength < RECORD_PREFIX_BYTES) return ok({ bytesRead: 0 });
    const length = view.getUint32(0);
    if (length === FOOTER_MARK) return this.#footer(bytes.subarray(at), view);
    if (length > this.#limits.recordBytesMax) return err("segment_record_corrupt");
    const bytesRead = RECORD_PREFIX_BYTES + length;
    if (view.byteLength < bytesRead) return ok({ bytesRead: 0 });
    const payload = bytes.subarray(at + RECORD_PREFIX_BYTES, at + bytesRead);
    if (recordCrc(payload) !== view.getUint32(4)) return err("segment_record_corrupt");
    this.#recordCount += 1;
    return ok({ bytesRead, payload });
  }

  #header(bytes: Uint8Array, at: number, view: DataView): Result<{ bytesRead: number }, SegmentErrorCode> {
    if (view.byteLength < PREFIX_BYTES) return ok({ bytesRead: 0 });
    if (view.getUint32(0) !== SEGMENT_MAGIC) return err("segment_not_recognized");
    // version and the three zero bytes behind it
    if (view.getUint32(4) !== SEGMENT_VERSION << 24) return err("segment_version_unsupported");
    const headBytes = view.getUint32(8);
    if (headBytes > this.#limits.headBytesMax) return err("segment_head_malformed");
    if (view.byteLength < PREFIX_BYTES + headBytes) return ok({ bytesRead: 0 });
    const body = bytes.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + headBytes);
    this.#head = crc32(body) === view.getUint32(12) ? readHead(body) : undefined;
    return this.#head === undefined ? err("segment_head_malformed") : ok({ bytesRead: PREFIX_BYTES + headBytes });
  }

  #footer(bytes: Uint8Array, view: DataView): Result<{ bytesRead: number }, SegmentErrorCode> {
    if (view.byteLength < FOOTER_BYTES) return ok({ bytesRead: 0 });
    const isIntact = crc32(bytes.subarray(0, 8)) === view.getUint32(8) && view.getUint32(12) === FOOTER_MAGIC;
    if (!isIntact || view.getUint32(4) !== this.#recordCount) return err("segment_footer_corrupt");
    this.#sealed = true;
    return ok({ bytesRead: FOOTER_BYTES });
  }
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
