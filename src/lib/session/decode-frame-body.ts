/** Bodies of frames: length-prefixed msgpack, or one JSON object a line for people. */
import { utf8Text } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { err, ok, type Result } from "../base/result.ts";
import { BODY_LIMITS } from "../body/body-limits.ts";
import type { BodyHeaders } from "../body/decode-body.ts";
import { decompress } from "../body/decompress.ts";
import { scanJson } from "../body/scan-json.ts";
import type { Problem } from "../contract/problem.ts";
import { frameSchema } from "../contract/session.ts";
import { decodeFrames, encodePayload, type DecodedFrame, type FrameLimits } from "./frame-codec.ts";

/** Bounds of what one request or WebSocket message may hold. A frame has 6 fields, 60 metadata keys and some list values each. */
export const FRAME_LIMITS: FrameLimits = {
  frameBytesMax: LIMITS.frameBytesMax,
  framesMax: LIMITS.requestFramesMax,
  depthMax: LIMITS.bodyDepthMax,
  valuesMax: 10_000,
};

export const FRAMES_MEDIA_TYPE = "application/vnd.jeeves.frames";
export const LINES_MEDIA_TYPE = "application/x-ndjson";

const LINE_FEED = 10;

/** From the bytes of a request to its frames. Errors concern the whole body: its type, its encoding, its size. */
export function decodeFrameBody(body: Uint8Array, headers: BodyHeaders): Result<DecodedFrame[], Problem> {
  const mediaType = headers.contentType.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== FRAMES_MEDIA_TYPE && mediaType !== LINES_MEDIA_TYPE)
    return err({ code: "media_type_unsupported", detail: `use ${FRAMES_MEDIA_TYPE} or ${LINES_MEDIA_TYPE}` });
  const limits = { ...BODY_LIMITS, decompressedBytesMax: LIMITS.requestFrameBytesMax };
  const plain = decompress(body, headers.contentEncoding, limits);
  if (!plain.ok) return plain;
  return ok(mediaType === LINES_MEDIA_TYPE ? decodeFrameLines(plain.value) : decodeFrames(plain.value, FRAME_LIMITS));
}

/** One frame a line; blank lines count for nothing, a bad line for itself. */
export function decodeFrameLines(bytes: Uint8Array): DecodedFrame[] {
  const frames: DecodedFrame[] = [];
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    const line = bytes.subarray(start, end);
    start = end + 1;
    if (line.every((byte) => byte === 32 || byte === 9 || byte === 13)) continue;
    if (frames.length === FRAME_LIMITS.framesMax) {
      frames.push(err({ code: "too_many_frames", detail: `at most ${FRAME_LIMITS.framesMax} frames` }));
      return frames;
    }
    frames.push(decodeLine(line));
  }
  return frames;
}

function decodeLine(line: Uint8Array): DecodedFrame {
  if (line.length > FRAME_LIMITS.frameBytesMax)
    return err({ code: "frame_too_large", detail: `at most ${FRAME_LIMITS.frameBytesMax} bytes` });
  const text = utf8Text(line);
  if (text === undefined) return malformed("not UTF-8");
  if (scanJson(text, FRAME_LIMITS) !== "fits") return malformed("nested too deeply, or of too many values");
  const parsed = frameSchema.safeParse(jsonOf(text));
  if (parsed.success) return ok({ frame: parsed.data, payload: encodePayload(parsed.data) });
  const path = (parsed.error.issues[0]?.path ?? []).map(String).join("/");
  return malformed(path === "" ? "not a frame" : `field ${path}`);
}

function malformed(detail: string): DecodedFrame {
  return err({ code: "frame_malformed", detail });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
}
