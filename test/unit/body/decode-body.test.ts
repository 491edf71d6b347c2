import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Bytes } from "../../../src/lib/base/bytes.ts";
import { BODY_LIMITS } from "../../../src/lib/body/body-limits.ts";
import { decodeBody } from "../../../src/lib/body/decode-body.ts";
import { decompress } from "../../../src/lib/body/decompress.ts";
import { parseDocument } from "../../../src/lib/body/parse-document.ts";
import { scanJson } from "../../../src/lib/body/scan-json.ts";
import { walkMsgpack } from "../../../src/lib/body/walk-msgpack.ts";
import { findZstdFrames } from "../../../src/lib/body/zstd-frames.ts";

const JSON_BODY = { contentType: "application/json", contentEncoding: "" };
const plainKey = fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__");
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(plainKey, tie("value"), { maxKeys: 4 }),
  ),
})).value;
const plain = (input: unknown): unknown => JSON.parse(JSON.stringify(input));

describe("the decoders of a body", () => {
  it("agree: the same documents come out of JSON, NDJSON and msgpack, under every encoding", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(plainKey, value, { maxKeys: 4 }), { minLength: 1, maxLength: 6 }), (raw) => {
        const list = raw.map(plain);
        const limits = { ...BODY_LIMITS, depthMax: 12 };
        const forms: [Uint8Array, string][] = [
          [utf8Bytes(JSON.stringify(list)), "application/json"],
          [utf8Bytes(JSON.stringify({ documents: list })), "application/json; charset=utf-8"],
          [utf8Bytes(list.map((one) => JSON.stringify(one)).join("\r\n")), "application/x-ndjson"],
          [encode(list), "application/msgpack"],
          [encode({ documents: list }), "application/vnd.msgpack"],
        ];
        for (const [bytes, contentType] of forms) {
          for (const [contentEncoding, body] of [
            ["", bytes],
            ["gzip", gzipSync(bytes)],
            ["zstd", zstdCompressSync(bytes)],
          ] as const) {
            const decoded = decodeBody(body, { contentType, contentEncoding }, limits);
            expect(decoded).toEqual({ ok: true, value: { candidates: list.map((one) => ({ value: one })) } });
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("never throw, whatever comes in, and answer with a code of the contract", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.string({ maxLength: 300 }).map(utf8Bytes),
          fc.json().map(utf8Bytes),
        ),
        fc.constantFrom("application/json", "application/x-ndjson", "application/msgpack", "text/html", ""),
        fc.constantFrom("", "gzip", "zstd", "br"),
        (bytes, contentType, contentEncoding) => {
          const decoded = decodeBody(bytes, { contentType, contentEncoding }, BODY_LIMITS);
          if (!decoded.ok)
            expect(decoded.error.code).toMatch(/^(body_|no_documents|too_many|media_type|content_encoding)/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("refuse a msgpack body cut anywhere, and one with any length made huge", () => {
    const body = encode({ documents: [{ id: "a", text: "hello", metadata: { k: [1, 2.5, null, "é"] } }] });
    for (let end = 0; end < body.length; end++) {
      expect(
        decodeBody(body.slice(0, end), { contentType: "application/msgpack", contentEncoding: "" }, BODY_LIMITS).ok,
      ).toBe(false);
    }
    for (const code of [0xc6, 0xc9, 0xdb, 0xdd, 0xdf]) {
      const huge = new Uint8Array([0x91, code, 0xff, 0xff, 0xff, 0xff, 0]);
      expect(decodeBody(huge, { contentType: "application/msgpack", contentEncoding: "" }, BODY_LIMITS)).toMatchObject({
        ok: false,
        error: { code: "body_malformed" },
      });
    }
  });
});

describe("the look over JSON before it is parsed", () => {
  it("measures depth as the parsed value has it, strings with brackets and escapes included", () => {
    const depthOf = (input: unknown): number =>
      typeof input === "object" && input !== null ? 1 + Math.max(0, ...Object.values(input).map(depthOf)) : 0;
    fc.assert(
      fc.property(
        fc.oneof(value, fc.constantFrom('a"b\\', "[[[{{{", '\\\\"[')),
        fc.integer({ min: 1, max: 6 }),
        (input, depthMax) => {
          const scan = scanJson(JSON.stringify(input), { depthMax, valuesMax: 1e6 });
          expect(scan).toBe(depthOf(plain(input)) > depthMax ? "too_deep" : "fits");
        },
      ),
    );
  });

  it("is linear on text made of backslashes and quotes", () => {
    const text = `"${'\\\\\\"'.repeat(200_000)}"`;
    const startedMs = performance.now();
    expect(scanJson(text, { depthMax: 1, valuesMax: 1 })).toBe("fits");
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

describe("the walk over msgpack", () => {
  it("ends where the library ends", () => {
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 5 }), (input, rest) => {
        const body = encode(plain(input));
        const walk = walkMsgpack(new Uint8Array([...body, ...rest]), 0, { depthMax: 20, valuesMax: 1e6 });
        expect(walk).toMatchObject({ ok: true, value: { end: body.length, stringsAreUtf8: true } });
        expect(decode(body)).toEqual(plain(input));
      }),
    );
  });
});

describe("a zstd body", () => {
  const text = utf8Bytes("Four score and seven years ago our fathers brought forth. ".repeat(3000));

  it("of several frames and skippable frames is whole", () => {
    const skippable = new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const body = new Uint8Array([
      ...zstdCompressSync(text.slice(0, 1000)),
      ...skippable,
      ...zstdCompressSync(text.slice(1000)),
    ]);
    const plainBody = decompress(body, "zstd", BODY_LIMITS);
    expect(plainBody.ok && Buffer.compare(plainBody.value, text)).toBe(0);
    const frames = findZstdFrames(body, 10);
    if (!frames.ok) throw new Error(frames.error.code);
    expect(
      Buffer.concat(frames.value.map((frame) => zstdDecompressSync(body.subarray(frame.start, frame.end)))),
    ).toEqual(Buffer.from(text));
  });

  it("cut anywhere is truncated, never shorter without saying so", () => {
    const body = zstdCompressSync(text);
    for (let end = 0; end < body.length; end++) {
      expect(decompress(body.subarray(0, end), "zstd", BODY_LIMITS)).toMatchObject({
        ok: false,
        error: { code: "body_truncated" },
      });
    }
  });

  it("with something behind it that is no frame is refused", () => {
    const body = new Uint8Array([...zstdCompressSync(text), ...utf8Bytes("trailing garbage")]);
    expect(decompress(body, "zstd", BODY_LIMITS).ok).toBe(false);
  });

  it("whose window is over 8 MiB, or of too many frames, is refused before it is decompressed", () => {
    // A frame header with window descriptor 0x70: 2^24 bytes; then one empty last block.
    const wide = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x70, 0x01, 0x00, 0x00]);
    expect(decompress(wide, "zstd", BODY_LIMITS)).toMatchObject({ ok: false, error: { code: "body_bomb" } });
    const many = Buffer.concat(Array.from({ length: 1025 }, () => zstdCompressSync("x")));
    expect(decompress(many, "zstd", BODY_LIMITS)).toMatchObject({ ok: false, error: { code: "body_bomb" } });
  });

  it("that needs a dictionary is refused", () => {
    const withDictionary = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x40, 0x07, 0x01, 0x00, 0x00]);
    expect(decompress(withDictionary, "zstd", BODY_LIMITS)).toMatchObject({
      ok: false,
      error: { code: "content_encoding_unsupported" },
    });
  });
});

describe("a bound on decompressed bytes", () => {
  it.each(["gzip", "zstd"] as const)(
    "counts output for %s: exactly the limit passes, one byte more does not",
    (encoding) => {
      const compress = encoding === "gzip" ? gzipSync : zstdCompressSync;
      const limits = { ...BODY_LIMITS, decompressedBytesMax: 100_000 };
      expect(decompress(compress(new Uint8Array(100_000)), encoding, limits).ok).toBe(true);
      expect(decompress(compress(new Uint8Array(100_001)), encoding, limits)).toMatchObject({
        ok: false,
        error: { code: "body_bomb" },
      });
      const inFrames = Buffer.concat([compress(new Uint8Array(60_000)), compress(new Uint8Array(60_000))]);
      expect(decompress(inFrames, encoding, limits)).toMatchObject({ ok: false, error: { code: "body_bomb" } });
    },
  );
});

describe("parsing a document", () => {
  const context = { boundUserId: "", nowMs: Date.parse("2026-11-23T12:00:00Z") };

  it("never throws and never repeats what was sent", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (input) => {
        const parsed = parseDocument(input, context);
        if (!parsed.ok) expect(parsed.error.reasons.length).toBeGreaterThan(0);
      }),
    );
  });

  it("keeps what JSON could carry, defaults the rest, and binds to the user of the key", () => {
    const parsed = parseDocument(
      { id: "a", text: "t", occurred_at: "2026-01-02T03:04:05+01:00", metadata: { constructor: "x", toString: 1 } },
      { ...context, boundUserId: "ann" },
    );
    expect(parsed).toEqual({
      ok: true,
      value: {
        id: "a",
        text: "t",
        title: "",
        source: "",
        tier: "doc",
        userId: "ann",
        occurredAtMs: Date.parse("2026-01-02T02:04:05Z"),
        metadata: { constructor: "x", toString: 1 },
      },
    });
  });

  it("takes a JSON body with __proto__ for what it is", () => {
    const decoded = decodeBody(
      utf8Bytes('[{"id":"a","text":"t","metadata":{"__proto__":{"polluted":true}}}]'),
      JSON_BODY,
      BODY_LIMITS,
    );
    const [first] = decoded.ok ? decoded.value.candidates : [];
    const parsed = first !== undefined && "value" in first ? parseDocument(first.value, context) : undefined;
    expect(parsed).toMatchObject({
      ok: false,
      error: { reasons: [{ code: "field_unknown", detail: "/metadata/__proto__" }] },
    });
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});
