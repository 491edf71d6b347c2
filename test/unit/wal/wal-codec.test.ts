import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hexOf } from "../../../src/lib/base/bytes.ts";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { splitRanges } from "../../../src/lib/wal/split-ranges.ts";
import { decodeBlock, decodeWal, encodeWal, openWal, type WalHead } from "../../../src/lib/wal/wal-codec.ts";
import { blockOffset } from "../../../src/lib/wal/wal-layout.ts";
import { WAL_LIMITS } from "../../../src/lib/wal/wal-limits.ts";

const HEAD: WalHead = {
  version: 1,
  tenant_id: "acme",
  wal_id: "01KAS6A8QZ7M5D2N4P6R8T0V1W",
  batch_tag: "golden",
  received_at_ms: 1_795_435_200_000,
  request_id: "request-1",
  gate_version: "1",
};

function document(index: number, more: Partial<WalDocument> = {}): WalDocument {
  return {
    document_index: index,
    document_id: `d${index}`,
    user_id: "",
    tier: "doc",
    source: "letters",
    title: "",
    metadata: {},
    occurred_at_ms: null,
    text: `Text number ${index}.`,
    verdict: "accepted",
    reasons: [],
    ...more,
  };
}

const REJECTED: Partial<WalDocument> = { text: null, verdict: "rejected", reasons: [{ code: "empty_text" }] };
const GOLDEN = [
  document(0),
  document(1, REJECTED),
  document(2, { text: "Long prose, again and again. ".repeat(300), metadata: { k: ["v", 1, true] } }),
];
const GOLDEN_RANGES = [
  { documentStart: 0, documentCount: 2 },
  { documentStart: 2, documentCount: 1 },
];

const documents = fc
  .array(
    fc.record({
      document_id: fc.string({ maxLength: 40, unit: "grapheme" }),
      text: fc.option(
        fc.string({ maxLength: 6000, unit: "binary" }).map((text) => text.toWellFormed()),
        { nil: null },
      ),
      title: fc.string({ maxLength: 40, unit: "grapheme" }),
      metadata: fc.dictionary(
        fc.string({ minLength: 1, maxLength: 9 }).filter((key) => key !== "__proto__"),
        fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      ),
      occurred_at_ms: fc.option(fc.integer(), { nil: null }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => list.map((fields, index) => document(index, { ...fields, metadata: { ...fields.metadata } })));

describe("a WAL object", () => {
  it("has the bytes of the golden file, so that what was written stays readable", () => {
    const golden = new Uint8Array(readFileSync(new URL("./fixtures/wal-v1.mpz", import.meta.url)));
    expect(decodeWal(golden, WAL_LIMITS)).toEqual({ ok: true, value: { ...HEAD, documents: GOLDEN } });
    // The raw part is ours to the byte; a compressed block may differ between versions of zstd.
    const { bytes } = encodeWal(HEAD, GOLDEN.slice(0, 2), GOLDEN_RANGES.slice(0, 1));
    const goldenRaw = new Uint8Array(readFileSync(new URL("./fixtures/wal-v1-raw.mpz", import.meta.url)));
    expect(hexOf(bytes)).toBe(hexOf(goldenRaw));
  });

  it("gives back what went in, whole and range by range", () => {
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 20_000 }), (list, textBytesMax) => {
        const ranges = splitRanges(
          list.map((one) => one.text?.length ?? 0),
          { textBytesMax, documentsMax: 5 },
        );
        const { bytes } = encodeWal(HEAD, list, ranges);
        expect(decodeWal(bytes, WAL_LIMITS)).toEqual({ ok: true, value: { ...HEAD, documents: list } });
        const opened = openWal(bytes, WAL_LIMITS);
        if (!opened.ok) throw new Error(opened.error.code);
        for (const [index, entry] of opened.value.layout.ranges.entries()) {
          const offset = blockOffset(opened.value.layout, index);
          const block = decodeBlock(bytes.subarray(offset, offset + entry.storedBytes), entry);
          expect(block).toEqual({
            ok: true,
            value: list.slice(entry.documentStart, entry.documentStart + entry.documentCount),
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it("with any byte changed or cut off is refused, and never decodes to something else", () => {
    const { bytes } = encodeWal(HEAD, GOLDEN, GOLDEN_RANGES);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      const decoded = decodeWal(damaged, WAL_LIMITS);
      // Byte 5 is reserved and means nothing yet.
      if (at !== 5) expect(decoded.ok, `byte ${at}`).toBe(false);
      expect(decodeWal(bytes.slice(0, at), WAL_LIMITS).ok).toBe(false);
    }
  });

  it("of arbitrary bytes is refused with a code and without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, withMagic) => {
        const bytes = new Uint8Array(noise);
        if (withMagic) bytes.set([0x4a, 0x56, 0x57, 0x4c, 1].slice(0, bytes.length));
        const decoded = decodeWal(bytes, WAL_LIMITS);
        expect(decoded.ok ? "decoded" : decoded.error.code).toMatch(/^wal_/);
      }),
    );
  });

  it("that claims to be huge is refused before anything is allocated for it", () => {
    const { bytes } = encodeWal(HEAD, [document(0)], [{ documentStart: 0, documentCount: 1 }]);
    const view = new DataView(bytes.buffer);
    view.setUint32(28 + 8, 0xffffffff);
    expect(decodeWal(bytes, WAL_LIMITS)).toMatchObject({ ok: false, error: { code: "wal_too_large" } });
    view.setUint8(4, 9);
    expect(decodeWal(bytes, WAL_LIMITS)).toEqual({ ok: false, error: { code: "wal_version_unsupported", version: 9 } });
  });

  it("whose block would decompress to more than it says is refused", () => {
    const { bytes } = encodeWal(
      HEAD,
      [document(0, { text: "again ".repeat(2000) })],
      [{ documentStart: 0, documentCount: 1 }],
    );
    const opened = openWal(bytes, WAL_LIMITS);
    if (!opened.ok) throw new Error(opened.error.code);
    const [entry] = opened.value.layout.ranges;
    if (entry === undefined) throw new Error("no range");
    const block = bytes.subarray(opened.value.layout.blocksOffset);
    expect(decodeBlock(block, { ...entry, rawBytes: entry.rawBytes - 1 }).ok).toBe(false);
    expect(decodeBlock(block, { ...entry, rawBytes: entry.rawBytes + 1 }).ok).toBe(false);
  });
});
