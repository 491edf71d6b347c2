import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SegmentParts } from "../../../src/lib/session/segment-parts.ts";
import { SegmentReader } from "../../../src/lib/session/segment-reader.ts";
import type { StoredEvent } from "../../../src/lib/session/stored-event.ts";

const HEAD = { tenant_id: "t", user_id: "", session_id: "s", first_seq: 1, created_at_ms: 5 };

function logOf(frames: readonly (Uint8Array | null)[]) {
  return {
    *events(firstSeq: number, lastSeq: number): Generator<StoredEvent> {
      for (let seq = firstSeq; seq <= lastSeq; seq += 1) {
        const frame = frames[seq - 1] ?? null;
        const judgement = { verdict: "accepted" as const, reasons: [] };
        yield { seq, frame, judgement, textBytes: 0, atMs: frame === null ? null : 1_000 - seq };
      }
    },
  };
}

/** All parts, copied: each overwrites the one before. */
function partsOf(frames: readonly (Uint8Array | null)[], partBytes: number) {
  const parts = new SegmentParts(logOf(frames), { head: HEAD, lastSeq: frames.length }, partBytes);
  const list: Uint8Array[] = [];
  for (let part = parts.next(); part !== undefined; part = parts.next()) list.push(part.slice());
  return { list, tally: parts.tally() };
}

describe("the parts of a segment", () => {
  it("are of one size but the last, and together are the same bytes whatever that size is", () => {
    const frames = fc.array(fc.option(fc.uint8Array({ maxLength: 300 })), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(frames, fc.integer({ min: 50, max: 2_000 }), (list, partBytes) => {
        const { list: parts, tally } = partsOf(list, partBytes);
        const bytes = Buffer.concat(parts);
        expect(parts.slice(0, -1).every((part) => part.length === partBytes)).toBe(true);
        const digest = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
        expect(digest(bytes)).toBe(digest(Buffer.concat(partsOf(list, 1_000_000).list)));
        const reader = new SegmentReader({ headBytesMax: 4_096, recordBytesMax: 1_000 });
        const read = reader.push(new Uint8Array(bytes));
        const kept = list.filter((frame) => frame !== null);
        expect(read.ok && read.value.map((payload) => [...payload])).toEqual(kept.map((frame) => [...frame]));
        expect(reader.end().state).toBe("sealed");
        expect(tally).toMatchObject({ eventCount: kept.length, sizeBytes: bytes.length });
      }),
    );
  });
});
