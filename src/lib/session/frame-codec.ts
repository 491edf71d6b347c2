/** Frames: u32 big-endian length, then one msgpack map. docs/FORMATS.md has the table. */
import { Encoder } from "@msgpack/msgpack";
import { decodeWalkedMsgpack } from "../body/decode-msgpack-value.ts";
import { walkMsgpack } from "../body/walk-msgpack.ts";
import { err, ok, type Result } from "../base/result.ts";
import { frameSchema, type Frame } from "../contract/session.ts";

export const FRAME_LENGTH_BYTES = 4;

export interface FrameLimits {
  /** Bytes of one frame's msgpack. */
  readonly frameBytesMax: number;
  /** Frames of one body. */
  readonly framesMax: number;
  readonly depthMax: number;
  readonly valuesMax: number;
}

/**
 * Why a frame was not taken. `frame_truncated` and `too_many_frames` end a body, since nothing behind them can be found; the others concern the
 * one frame.
 */
export type FrameErrorCode = "frame_malformed" | "frame_too_large" | "frame_truncated" | "too_many_frames";

/** One place of a body: a frame with its msgpack bytes, or why there is none. */
export type DecodedFrame = Result<
  { readonly frame: Frame; readonly payload: Uint8Array },
  { readonly code: FrameErrorCode; readonly detail: string }
>;

/** Its buffer serves every frame: the library's `encode` makes a new one of 2 KiB for each, which costs more than the encoding. */
const encoder = new Encoder({ ignoreUndefined: true });

/** The frame's msgpack without its length. */
export function encodePayload(frame: Frame): Uint8Array {
  return encoder.encode(frame);
}

/** The frame as it travels. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const payload = encodePayload(frame);
  const bytes = new Uint8Array(FRAME_LENGTH_BYTES + payload.length);
  new DataView(bytes.buffer).setUint32(0, payload.length);
  bytes.set(payload, FRAME_LENGTH_BYTES);
  return bytes;
}

function refusal(code: FrameErrorCode, detail: string): DecodedFrame {
  return err({ code, detail });
}

/** Decodes the msgpack of one frame. A wrong field is named, never its value. */
export function decodePayload(payload: Uint8Array, limits: FrameLimits): DecodedFrame {
  const walk = walkMsgpack(payload, 0, limits);
  if (!walk.ok) return refusal("frame_malformed", `not msgpack within the limits: ${walk.error.code}`);
  if (walk.value.end !== payload.length) return refusal("frame_malformed", "something stands behind the value");
  if (!walk.value.stringsAreUtf8) return refusal("frame_malformed", "a string is not UTF-8");
  const parsed = frameSchema.safeParse(decodeWalkedMsgpack(payload));
  if (parsed.success) return ok({ frame: parsed.data, payload });
  const path = (parsed.error.issues[0]?.path ?? []).map(String).join("/");
  return refusal("frame_malformed", path === "" ? "not a frame" : `field ${path}`);
}

/**
 * Decodes a body of frames. A frame that is too large or malformed is one refusal and the next one is looked at; only a body that ends inside a
 * frame, or holds too many, ends there. Nothing is allocated by a length that the body does not hold.
 */
export function decodeFrames(body: Uint8Array, limits: FrameLimits): DecodedFrame[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const frames: DecodedFrame[] = [];
  for (let at = 0; at < body.length;) {
    if (frames.length === limits.framesMax) {
      frames.push(refusal("too_many_frames", `at most ${limits.framesMax} frames`));
      return frames;
    }
    const start = at + FRAME_LENGTH_BYTES;
    const length = start <= body.length ? view.getUint32(at) : Number.POSITIVE_INFINITY;
    if (start + length > body.length) {
      frames.push(refusal("frame_truncated", "the body ends inside this frame"));
      return frames;
    }
    at = start + length;
    frames.push(
      length > limits.frameBytesMax
        ? refusal("frame_too_large", `at most ${limits.frameBytesMax} bytes`)
        : decodePayload(body.subarray(start, at), limits),
    );
  }
  return frames;
}
