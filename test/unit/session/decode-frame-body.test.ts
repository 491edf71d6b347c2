import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { utf8Bytes } from "../../../src/lib/base/bytes.ts";
import { decodeFrameBody, decodeFrameLines } from "../../../src/lib/session/decode-frame-body.ts";

const line = (seq: number, more: object = {}) =>
  JSON.stringify({ seq, at_ms: 1, role: "user", text: "hello", ...more });

function codesOf(body: string | Uint8Array): readonly string[] {
  const bytes = typeof body === "string" ? utf8Bytes(body) : body;
  return decodeFrameLines(bytes).map((item) => (item.ok ? `seq ${item.value.frame.seq}` : item.error.code));
}

describe("lines of frames", () => {
  it("are one frame each, and a bad one concerns itself alone", () => {
    const body = ["", line(1), "  \r", "{", line(0), "[]", line(2, { admin: true }), "null", line(2)].join("\n");
    expect(codesOf(body)).toEqual(["seq 1", ...Array.from({ length: 5 }, () => "frame_malformed"), "seq 2"]);
  });

  it("end at the limit of their number, and refuse what is too large, too deep or not UTF-8", () => {
    const many = Array.from({ length: 1_002 }, (_, index) => line(index + 1)).join("\n");
    expect(codesOf(many).slice(-2)).toEqual(["seq 1000", "too_many_frames"]);
    expect(codesOf(line(1, { text: "x".repeat(300_000) }))).toEqual(["frame_too_large"]);
    expect(codesOf(`{"seq":${"[".repeat(50)}`)).toEqual(["frame_malformed"]);
    expect(codesOf(Uint8Array.of(0xff, 0xfe))).toEqual(["frame_malformed"]);
    const keys = Object.fromEntries(Array.from({ length: 61 }, (_, index) => [`k${index}`, 1]));
    expect(codesOf(line(1, { metadata: keys }))).toEqual(["frame_malformed"]);
  });
});

describe("a body of frames", () => {
  const codeOf = (body: Uint8Array, contentType: string, contentEncoding = "") => {
    const decoded = decodeFrameBody(body, { contentType, contentEncoding });
    return decoded.ok ? decoded.value.length : decoded.error.code;
  };

  it("says what it is, and is refused whole where it cannot be read", () => {
    expect(codeOf(utf8Bytes(line(1)), "application/x-ndjson; charset=utf-8")).toBe(1);
    expect(codeOf(gzipSync(line(1)), "application/x-ndjson", "gzip")).toBe(1);
    expect(codeOf(utf8Bytes(line(1)), "application/json")).toBe("media_type_unsupported");
    expect(codeOf(utf8Bytes(line(1)), "application/x-ndjson", "br")).toBe("content_encoding_unsupported");
    expect(codeOf(gzipSync(line(1)).subarray(0, 20), "application/x-ndjson", "gzip")).toBe("body_truncated");
    expect(codeOf(gzipSync("a".repeat(5_000_000)), "application/x-ndjson", "gzip")).toBe("body_bomb");
  });
});
