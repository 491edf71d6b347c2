import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { ZLIB_OUTPUT_SLACK_BYTES } from "../base/limits.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import type { BodyLimits } from "./body-limits.ts";
import { refusal } from "./decoded-body.ts";
import { findZstdFrames, type ZstdFrame, type ZstdFramesError } from "./zstd-frames.ts";

/**
 * Undoes a Content-Encoding: identity, gzip or zstd. The bound counts output bytes and ends the work where it is reached; nothing the
 * body claims about its own size is believed. Errors: content_encoding_unsupported, body_truncated, body_bomb, body_too_large.
 */
export function decompress(
  bytes: Uint8Array,
  contentEncoding: string,
  limits: BodyLimits,
): Result<Uint8Array, Problem> {
  switch (contentEncoding.trim().toLowerCase()) {
    case "":
    case "identity":
      return bytes.length > limits.decompressedBytesMax
        ? err(refusal("body_too_large", `at most ${limits.decompressedBytesMax} bytes`))
        : ok(bytes);
    case "gzip":
    case "x-gzip":
      return attempt(
        () => gunzipSync(bytes, outputLimit(limits.decompressedBytesMax)),
        limits.decompressedBytesMax,
        limits,
      );
    case "zstd":
      return unzstd(bytes, limits);
    default:
      return err(refusal("content_encoding_unsupported", "use identity, gzip or zstd"));
  }
}

function unzstd(bytes: Uint8Array, limits: BodyLimits): Result<Uint8Array, Problem> {
  const frames = findZstdFrames(bytes, limits.zstdFramesMax);
  if (!frames.ok) return err(framesProblem(frames.error, limits));
  const parts: Uint8Array[] = [];
  let left = limits.decompressedBytesMax;
  for (const frame of frames.value) {
    const part = unzstdFrame(bytes, frame, left, limits);
    if (!part.ok) return part;
    left -= part.value.length;
    parts.push(part.value);
  }
  return ok(joined(parts, limits.decompressedBytesMax - left));
}

function unzstdFrame(
  bytes: Uint8Array,
  frame: ZstdFrame,
  left: number,
  limits: BodyLimits,
): Result<Uint8Array, Problem> {
  if (!frame.singleSegment && frame.windowBytes > 2 ** limits.zstdWindowLogMax) {
    return err(refusal("body_bomb", `zstd window of at most ${2 ** limits.zstdWindowLogMax} bytes`));
  }
  if ((frame.contentBytes ?? 0) > left) return err(bomb(limits));
  // A frame that is its own window was bounded by its content just now, so the decoder may keep that much.
  const windowLog = Math.max(limits.zstdWindowLogMax, Math.ceil(Math.log2(Math.max(1, frame.windowBytes))));
  const options = { ...outputLimit(left), params: { [constants.ZSTD_d_windowLogMax]: windowLog } };
  return attempt(() => zstdDecompressSync(bytes.subarray(frame.start, frame.end), options), left, limits);
}

function outputLimit(bytesMax: number): { maxOutputLength: number } {
  return { maxOutputLength: bytesMax + ZLIB_OUTPUT_SLACK_BYTES };
}

function attempt(work: () => Uint8Array, bytesMax: number, limits: BodyLimits): Result<Uint8Array, Problem> {
  try {
    const bytes = work();
    return bytes.length > bytesMax ? err(bomb(limits)) : ok(bytes);
  } catch (thrown) {
    // Both runtimes answer a full output with a RangeError and anything else with an Error.
    return err(
      thrown instanceof RangeError
        ? bomb(limits)
        : refusal("body_truncated", "the compressed data ends early or is damaged"),
    );
  }
}

function bomb(limits: BodyLimits): Problem {
  return refusal("body_bomb", `at most ${limits.decompressedBytesMax} bytes after decompression`);
}

function framesProblem(error: ZstdFramesError, limits: BodyLimits): Problem {
  const damaged = refusal("body_truncated", "the compressed data ends early or is damaged");
  const problems: Readonly<Record<ZstdFramesError["code"], Problem>> = {
    truncated: damaged,
    damaged,
    needs_dictionary: refusal("content_encoding_unsupported", "zstd dictionaries are not supported"),
    too_many_frames: refusal("body_bomb", `at most ${limits.zstdFramesMax} zstd frames`),
  };
  return problems[error.code];
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
