import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "../../../src/lib/contract/session.ts";
import { ROLES } from "../../../src/lib/contract/session.ts";
import { decodeFrames, encodeFrame, type FrameLimits } from "../../../src/lib/session/frame-codec.ts";

const LIMITS: FrameLimits = { frameBytesMax: 4_096, framesMax: 50, depthMax: 8, valuesMax: 1_000 };

const frames = fc.record<Frame>(
  {
    seq: fc.integer({ min: 1, max: 1_000_000 }),
    at_ms: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    role: fc.constantFrom(...ROLES),
    speaker: fc.stringMatching(/^[A-Za-z]{1,20}$/),
    text: fc.string({ unit: "grapheme", maxLength: 200 }).filter((text) => text.isWellFormed()),
    metadata: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.integer(), fc.boolean()), { maxKeys: 3 }),
  },
  { requiredKeys: ["seq", "at_ms", "role", "text"] },
);

const FRAME: Frame = { seq: 1, at_ms: 1_700_000_000_000, role: "user", text: "hello" };

function bodyOf(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function withLength(payload: Uint8Array, length = payload.length): Uint8Array {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return bodyOf([prefix, payload]);
}

function codesOf(body: Uint8Array, limits = LIMITS): readonly string[] {
  return decodeFrames(body, limits).map((item) => (item.ok ? `seq ${item.value.frame.seq}` : item.error.code));
}

describe("the frame codec", () => {
  it("gives back what was encoded, frame by frame", () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 20 }), (list) => {
        const decoded = decodeFrames(bodyOf(list.map(encodeFrame)), LIMITS);
        expect(decoded.map((item) => item.ok && item.value.frame)).toEqual(list);
      }),
    );
  });

  it("takes the frames around a bad one", () => {
    const bad = withLength(encode({ ...FRAME, seq: 0 }));
    const noise = withLength(Uint8Array.of(0xc1, 0xff, 0x00));
    const large = encodeFrame({ ...FRAME, seq: 3, text: "x".repeat(5_000) });
    const body = bodyOf([encodeFrame(FRAME), bad, noise, large, encodeFrame({ ...FRAME, seq: 2 })]);
    expect(codesOf(body)).toEqual(["seq 1", "frame_malformed", "frame_malformed", "frame_too_large", "seq 2"]);
  });

  it.each([
    ["an unknown field", { ...FRAME, admin: true }],
    ["a role that is none", { ...FRAME, role: "root" }],
    ["a text that is no text", { ...FRAME, text: 7 }],
    ["a map with __proto__", JSON.parse('{"seq":1,"at_ms":1,"role":"user","text":"a","metadata":{"__proto__":1}}')],
    ["binary data", { ...FRAME, metadata: { a: Uint8Array.of(1) } }],
    ["a value that is no map", [1, 2, 3]],
  ])("refuses %s and never says its value", (_, value) => {
    const [item] = decodeFrames(withLength(encode(value)), LIMITS);
    expect(item).toMatchObject({ ok: false, error: { code: "frame_malformed" } });
  });

  it("ends at a body that is cut anywhere inside a frame, keeping the whole ones before", () => {
    const first = encodeFrame(FRAME);
    const whole = bodyOf([first, encodeFrame({ ...FRAME, seq: 2 })]);
    for (let length = first.length + 1; length < whole.length; length++) {
      expect(codesOf(whole.subarray(0, length))).toEqual(["seq 1", "frame_truncated"]);
    }
  });

  it("ends at the limit of frames, and is not led astray by a length that the body does not hold", () => {
    const many = bodyOf(Array.from({ length: 4 }, (_, index) => encodeFrame({ ...FRAME, seq: index + 1 })));
    expect(codesOf(many, { ...LIMITS, framesMax: 2 })).toEqual(["seq 1", "seq 2", "too_many_frames"]);
    expect(codesOf(withLength(Uint8Array.of(1, 2), 0xffffffff))).toEqual(["frame_truncated"]);
  });

  it("takes any bytes without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodeFrames(bytes, LIMITS).length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
