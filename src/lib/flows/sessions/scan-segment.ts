import { createHash } from "node:crypto";
import type { R2Bucket } from "@cloudflare/workers-types";
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Frame } from "../../contract/session.ts";
import { decodePayload, type FrameLimits } from "../../session/frame-codec.ts";
import type { SegmentHead } from "../../session/segment-layout.ts";
import { SegmentReader, type SegmentErrorCode, type SegmentLimits } from "../../session/segment-reader.ts";

/** Why a segment cannot be read. `segment_incomplete`: its end is missing; `segment_frame_invalid`: a record under a right CRC is no frame. */
export type ScanError = {
  readonly code:
    | SegmentErrorCode
    | "segment_missing"
    | "segment_incomplete"
    | "segment_frame_invalid"
    | "storage_unavailable";
};

export interface ScannedSegment {
  readonly head: SegmentHead;
  readonly sha256Hex: string;
}

const SEGMENT_LIMITS: SegmentLimits = { headBytesMax: 4_096, recordBytesMax: LIMITS.storedEventBytesMax };
const FRAME_LIMITS: FrameLimits = {
  frameBytesMax: LIMITS.storedEventBytesMax,
  framesMax: 1,
  depthMax: LIMITS.bodyDepthMax,
  valuesMax: LIMITS.metadataBytesMax,
};

/** Reads a segment as its bytes come and hands out each frame once its CRC was checked. Holds one record and one chunk of the stream. */
export async function scanSegment(
  bucket: R2Bucket,
  objectKey: string,
  onFrame: (frame: Frame) => void,
): Promise<Result<ScannedSegment, ScanError>> {
  try {
    const object = await bucket.get(objectKey);
    if (object === null) return err({ code: "segment_missing" });
    const reader = new SegmentReader(SEGMENT_LIMITS);
    const hash = createHash("sha256");
    for await (const chunk of object.body) {
      hash.update(chunk);
      const payloads = reader.push(chunk);
      if (!payloads.ok) return err({ code: payloads.error });
      for (const payload of payloads.value) {
        const decoded = decodePayload(payload, FRAME_LIMITS);
        if (!decoded.ok) return err({ code: "segment_frame_invalid" });
        onFrame(decoded.value.frame);
      }
    }
    const { head, state } = reader.end();
    return head === undefined || state === "torn"
      ? err({ code: "segment_incomplete" })
      : ok({ head, sha256Hex: hash.digest("hex") });
  } catch {
    return err({ code: "storage_unavailable" });
  }
}
