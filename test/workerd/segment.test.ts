import { describe, expect, it } from "vitest";
import { crc32 as ownCrc32 } from "../support/crc32.ts";
import { recordCrc } from "../../src/lib/session/segment-layout.ts";
import { SegmentReader } from "../../src/lib/session/segment-reader.ts";
import {
  segmentFooter,
  segmentHeader,
  segmentRecordBytes,
  writeSegmentRecord,
} from "../../src/lib/session/segment-writer.ts";

const HEAD = {
  tenant_id: "acme",
  user_id: "ada",
  session_id: "talk-1",
  first_seq: 1,
  created_at_ms: 1_760_000_000_000,
};

describe("a segment inside workerd", () => {
  it("has the checksums that Node gives it", () => {
    const payload = new TextEncoder().encode("a frame");
    const withLength = new Uint8Array(4 + payload.length);
    new DataView(withLength.buffer).setUint32(0, payload.length);
    withLength.set(payload, 4);
    expect(recordCrc(payload)).toBe(ownCrc32(withLength));
  });

  it("is written and read", () => {
    const payloads = [1, 2, 3].map((n) => new Uint8Array(n * 1_000).fill(n));
    const reader = new SegmentReader({ headBytesMax: 2_048, recordBytesMax: 10_000 });
    const parts = payloads.map((payload) => {
      const bytes = new Uint8Array(segmentRecordBytes(payload.length));
      writeSegmentRecord(bytes, 0, payload);
      return bytes;
    });
    const read = [segmentHeader(HEAD), ...parts, segmentFooter(3)].flatMap((part): (number | string)[] => {
      const step = reader.push(part);
      return step.ok ? step.value.map((payload) => payload.length) : [step.error];
    });
    expect(read).toEqual([1_000, 2_000, 3_000]);
    expect(reader.end()).toMatchObject({ head: HEAD, state: "sealed", recordCount: 3 });
  });
});
