/**
 * The segment codec and JSON lines on the same events, inside workerd. Its clock stands still while it computes, so that the caller takes the time:
 * `POST /load` (JSON lines), then `GET /<encode|decode>-<segment|json>?times=N`.
 */
import { frameSchema, type Frame } from "../../src/lib/contract/session.ts";
import { decodePayload, encodePayload } from "../../src/lib/session/frame-codec.ts";
import { SegmentReader } from "../../src/lib/session/segment-reader.ts";
import {
  segmentFooter,
  segmentHeader,
  segmentRecordBytes,
  writeSegmentRecord,
} from "../../src/lib/session/segment-writer.ts";

const FRAME_LIMITS = { frameBytesMax: 1024 * 1024, framesMax: 1, depthMax: 8, valuesMax: 8 * 1024 };
const READER_LIMITS = { headBytesMax: 4_096, recordBytesMax: 1024 * 1024 };
/** As R2 hands an object out. */
const CHUNK_BYTES = 64 * 1024;
const HEAD = { tenant_id: "bench", user_id: "ann", session_id: "talk", first_seq: 1, created_at_ms: 1_790_000_000_000 };
const NEWLINE = 0x0a;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
let frames: readonly Frame[] = [];
let target = new Uint8Array(0);
let segmentBytes = 0;
let jsonBytes = 0;

function encodeSegment(): number {
  target.set(segmentHeader(HEAD));
  let at = segmentHeader(HEAD).length;
  for (const frame of frames) {
    const payload = encodePayload(frame);
    if (at + segmentRecordBytes(payload.length) > target.length) throw new Error("the target is too small");
    at = writeSegmentRecord(target, at, payload);
  }
  const footer = segmentFooter(frames.length);
  target.set(footer, at);
  return at + footer.length;
}

function encodeJson(): number {
  let at = 0;
  for (const frame of frames) {
    at += encoder.encodeInto(JSON.stringify(frame), target.subarray(at)).written;
    target[at] = NEWLINE;
    at += 1;
  }
  return at;
}

/** Every record's CRC, then every field of its frame. */
function decodeSegment(bytes: Uint8Array): number {
  const reader = new SegmentReader(READER_LIMITS);
  let count = 0;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const payloads = reader.push(bytes.subarray(at, at + CHUNK_BYTES));
    if (!payloads.ok) throw new Error(payloads.error);
    for (const payload of payloads.value) if (decodePayload(payload, FRAME_LIMITS).ok) count += 1;
  }
  return count;
}

/** Every field of each line's frame; nothing tells whether a line is what was written. */
function decodeJson(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at);
    if (frameSchema.safeParse(JSON.parse(decoder.decode(bytes.subarray(at, end)))).success) count += 1;
    at = end + 1;
  }
  return count;
}

function run(path: string): number {
  if (path === "/encode-segment") return encodeSegment() === segmentBytes ? frames.length : 0;
  if (path === "/encode-json") return encodeJson() === jsonBytes ? frames.length : 0;
  if (path === "/decode-segment") return decodeSegment(target.subarray(0, segmentBytes));
  return decodeJson(target.subarray(0, jsonBytes));
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/load") {
      const lines = (await request.text()).split("\n").filter((line) => line !== "");
      frames = lines.map((line) => frameSchema.parse(JSON.parse(line)));
      target = new Uint8Array(64 * 1024 * 1024);
      segmentBytes = encodeSegment();
      jsonBytes = encodeJson();
      return Response.json({ events: frames.length, segmentBytes, jsonBytes });
    }
    // What a decoder reads has to stand in the buffer first; one more encoding is not part of its time.
    if (searchParams.get("times") === "0") {
      run(pathname.replace("decode", "encode"));
      return Response.json({ events: 0 });
    }
    let events = 0;
    for (let time = 0; time < Number(searchParams.get("times")); time += 1) events += run(pathname);
    return Response.json({ events });
  },
};
