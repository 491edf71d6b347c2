import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  segmentFooter,
  segmentHeader,
  segmentRecordBytes,
  writeSegmentRecord,
} from "../../../src/lib/session/segment-writer.ts";
import { readSegment, SegmentError, type SegmentEvent } from "../../../src/reader/read-segment.ts";

const HEAD = {
  tenant_id: "acme",
  user_id: "ada",
  session_id: "talk-1",
  first_seq: 1,
  created_at_ms: 1_760_000_000_000,
};

function segmentOf(events: readonly SegmentEvent[]): Uint8Array {
  const records = events.map((event) => {
    const payload = encode(event);
    const bytes = new Uint8Array(segmentRecordBytes(payload.length));
    writeSegmentRecord(bytes, 0, payload);
    return bytes;
  });
  return Buffer.concat([segmentHeader(HEAD), ...records, segmentFooter(events.length)]);
}

const eventLists = fc.array(
  fc.record({
    seq: fc.integer({ min: 1, max: 1_000_000 }),
    at_ms: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    role: fc.constantFrom("user", "assistant"),
    text: fc.string({ unit: "grapheme" }),
  }),
  { maxLength: 8 },
);
const EVENTS: readonly SegmentEvent[] = [
  { seq: 1, at_ms: 5, role: "user", speaker: "Ann", text: "Wir grüßen.", metadata: { mood: "calm" } },
  { seq: 3, at_ms: 9, role: "assistant", text: "" },
];

describe("the stand-alone reader of segments", () => {
  it("gives back what the system wrote", () => {
    fc.assert(
      fc.property(eventLists, (events) => {
        expect(readSegment(segmentOf(events))).toEqual({ head: HEAD, events, isSealed: true });
      }),
    );
    expect(readSegment(segmentOf(EVENTS)).events).toEqual(EVENTS);
  });

  it("gives the whole events of a segment that was cut off anywhere, and never another one", () => {
    const bytes = segmentOf(EVENTS);
    for (let length = 0; length < bytes.length; length++) {
      try {
        const { events, isSealed } = readSegment(bytes.subarray(0, length));
        expect(isSealed).toBe(false);
        expect(EVENTS.slice(0, events.length)).toEqual(events);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SegmentError);
      }
    }
  });

  it("refuses every segment in which a bit has changed, or gives fewer events of it", () => {
    const bytes = segmentOf(EVENTS);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Uint8Array.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        const { events, isSealed } = readSegment(damaged);
        // The three zeros behind the version mean nothing.
        if (bit >= 40 && bit < 64) continue;
        expect(isSealed && events.length === EVENTS.length, `bit ${bit}`).toBe(false);
        expect(EVENTS.slice(0, events.length)).toEqual(events);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SegmentError);
      }
    }
  });
});
