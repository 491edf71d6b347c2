/**
 * Reads sealed segments of conversations (`.seg`, docs/FORMATS.md) without the rest of the system: this file and `@msgpack/msgpack`, in Node, a browser
 * or a Worker. Take it out of this repository as it is.
 *
 *     const segment = readSegment(readFileSync("000000000001-20261125T060001Z-120-01234567.seg"));
 *     for (const event of segment.events) console.log(event.seq, event.role, event.text);
 *
 * A segment that was cut off gives its whole events, and `isSealed` false. Any other damage is thrown as a `SegmentError`.
 */
import { decode } from "@msgpack/msgpack";

const MAGIC = 0x4a565347;
const FOOTER_MAGIC = 0x4a565345;
const FOOTER_MARK = 0xffffffff;
const PREFIX_BYTES = 16;
const RECORD_PREFIX_BYTES = 8;
const FOOTER_BYTES = 16;
/** Bounds of what is unpacked, so that no file can ask for more. */
const MSGPACK_LIMITS = { maxArrayLength: 1_024, maxMapLength: 128, maxExtLength: 0 } as const;

export class SegmentError extends Error {
  override readonly name = "SegmentError";
}

/** `seq`, `at_ms`, `role` and `text` of an event; `speaker` and `metadata` where it has them. */
export interface SegmentEvent {
  readonly seq: number;
  readonly at_ms: number;
  readonly role: string;
  readonly text: string;
  readonly speaker?: string;
  readonly metadata?: unknown;
}

export interface ReadSegment {
  /** tenant_id, user_id, session_id, first_seq, created_at_ms. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly events: readonly SegmentEvent[];
  /** False: the bytes end before the footer. */
  readonly isSealed: boolean;
}

/** Reads a segment that lies in memory as a whole. */
export function readSegment(bytes: Uint8Array): ReadSegment {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  demand(bytes.length >= PREFIX_BYTES && view.getUint32(0) === MAGIC, "not a segment");
  demand(view.getUint8(4) === 1, "a version that this reader does not know");
  const headBytes = view.getUint32(8);
  demand(PREFIX_BYTES + headBytes <= bytes.length, "cut off in its head");
  const head = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headBytes);
  demand(crc32(head) === view.getUint32(12), "a damaged head");
  const events: SegmentEvent[] = [];
  let offset = PREFIX_BYTES + headBytes;
  while (offset + RECORD_PREFIX_BYTES <= bytes.length) {
    const length = view.getUint32(offset);
    if (length === FOOTER_MARK)
      return { head: mapOf(head), events, isSealed: checkFooter(view, offset, events.length) };
    const end = offset + RECORD_PREFIX_BYTES + length;
    if (end > bytes.length) break;
    const payload = bytes.subarray(offset + RECORD_PREFIX_BYTES, end);
    const crc = crc32(payload, crc32(bytes.subarray(offset, offset + 4)));
    demand(crc === view.getUint32(offset + 4), `a damaged event behind ${events.length} whole ones`);
    events.push(eventOf(mapOf(payload)));
    offset = end;
  }
  return { head: mapOf(head), events, isSealed: false };
}

function demand(condition: boolean, whatIsWrong: string): asserts condition {
  if (!condition) throw new SegmentError(whatIsWrong);
}

function checkFooter(view: DataView, offset: number, eventCount: number): boolean {
  if (offset + FOOTER_BYTES > view.byteLength) return false;
  const counted = new Uint8Array(view.buffer, view.byteOffset + offset, 8);
  demand(
    view.getUint32(offset + 8) === crc32(counted) && view.getUint32(offset + 12) === FOOTER_MAGIC,
    "a damaged footer",
  );
  demand(view.getUint32(offset + 4) === eventCount, "another number of events than its footer says");
  demand(offset + FOOTER_BYTES === view.byteLength, "bytes behind its end");
  return true;
}

function mapOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = decode(bytes, MSGPACK_LIMITS);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value));
  } catch (cause) {
    throw new SegmentError("damaged", { cause });
  }
  throw new SegmentError("something else than a map");
}

function eventOf({ seq, at_ms, role, text, speaker, metadata }: Record<string, unknown>): SegmentEvent {
  demand(
    typeof seq === "number" && typeof at_ms === "number" && typeof role === "string" && typeof text === "string",
    "an event without its fields",
  );
  return {
    seq,
    at_ms,
    role,
    text,
    ...(typeof speaker === "string" ? { speaker } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** CRC-32 of IEEE 802.3, reflected, as zip and PNG have it. */
function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
