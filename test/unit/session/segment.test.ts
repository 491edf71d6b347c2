import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SegmentHead, PREFIX_BYTES } from "../../../src/lib/session/segment-layout.ts";
import { SegmentReader, type SegmentEnd } from "../../../src/lib/session/segment-reader.ts";
import {
  segmentFooter,
  segmentHeader,
  segmentRecordBytes,
  writeSegmentRecord,
} from "../../../src/lib/session/segment-writer.ts";

const HEAD: SegmentHead = {
  tenant_id: "acme",
  user_id: "ada",
  session_id: "talk-1",
  first_seq: 1,
  created_at_ms: 1_760_000_000_000,
};
const LIMITS = { headBytesMax: 2_048, recordBytesMax: 1_000 };
const GOLDEN = new URL("fixtures/segment-v1.seg", import.meta.url);

function record(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(segmentRecordBytes(payload.length));
  expect(writeSegmentRecord(bytes, 0, payload)).toBe(bytes.length);
  return bytes;
}

function segmentOf(payloads: readonly Uint8Array[]): Buffer {
  return Buffer.concat([segmentHeader(HEAD), ...payloads.map(record), segmentFooter(payloads.length)]);
}

type Reading = { readonly payloads: readonly Buffer[]; readonly error: string | undefined; readonly end: SegmentEnd };

function read(bytes: Uint8Array, chunkBytes = bytes.length || 1): Reading {
  const reader = new SegmentReader(LIMITS);
  const payloads: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const step = reader.push(bytes.subarray(at, at + chunkBytes));
    if (!step.ok) return { payloads, error: step.error, end: reader.end() };
    payloads.push(...step.value.map((payload) => Buffer.from(payload)));
  }
  return { payloads, error: undefined, end: reader.end() };
}

const payloadLists = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 12 });
const FIXED = ["first", "", "third one"].map((text) => Buffer.from(text));

describe("a segment", () => {
  it("gives back its records, in whatever pieces its bytes come", () => {
    fc.assert(
      fc.property(payloadLists, fc.integer({ min: 1, max: 64 }), (payloads, chunkBytes) => {
        const bytes = segmentOf(payloads);
        const reading = read(bytes, chunkBytes);
        expect(reading.payloads.map((payload) => [...payload])).toEqual(payloads.map((payload) => [...payload]));
        const end = { head: HEAD, recordCount: payloads.length, wholeBytes: bytes.length, state: "sealed" };
        expect(reading).toMatchObject({ error: undefined, end });
      }),
    );
  });

  it("cut at any byte ends torn behind its last whole record", () => {
    const bytes = segmentOf(FIXED);
    const ends = [segmentHeader(HEAD).length];
    for (const payload of FIXED) ends.push((ends.at(-1) ?? 0) + segmentRecordBytes(payload.length));
    for (let length = 0; length < bytes.length; length++) {
      const { payloads, error, end } = read(bytes.subarray(0, length));
      const whole = ends.filter((offset) => offset <= length);
      expect([error, end.state, end.wholeBytes]).toEqual([undefined, "torn", whole.at(-1) ?? 0]);
      expect(payloads).toEqual(FIXED.slice(0, Math.max(0, whole.length - 1)));
    }
  });

  it("with any bit flipped never gives a record that was not written", () => {
    const bytes = segmentOf(FIXED);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { payloads, error, end } = read(damaged);
      expect(payloads).toEqual(FIXED.slice(0, payloads.length));
      expect(error !== undefined || end.state === "torn", `bit ${bit}`).toBe(true);
    }
  });

  it("with something behind its footer is refused", () => {
    expect(read(Buffer.concat([segmentOf(FIXED), Buffer.of(0)])).error).toBe("segment_has_tail");
  });

  it("keeps to its limits before it holds anything", () => {
    const large = Buffer.concat([segmentHeader(HEAD), record(new Uint8Array(1_001))]);
    expect(read(large.subarray(0, segmentHeader(HEAD).length + 8)).error).toBe("segment_record_corrupt");
    const header = Buffer.from(segmentHeader(HEAD));
    header.writeUInt32BE(1_000_000, 8);
    expect(read(header.subarray(0, PREFIX_BYTES)).error).toBe("segment_head_malformed");
  });

  it("takes any bytes without an exception", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void read(bytes, 7)));
  });

  it("has the bytes of its golden file", () => {
    expect(existsSync(GOLDEN)).toBe(true);
    expect(Buffer.compare(readFileSync(GOLDEN), segmentOf(FIXED))).toBe(0);
  });
});
