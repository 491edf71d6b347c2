import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMessage } from "../../../src/bridge/parse-message.ts";

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const codeOf = (bytes: Uint8Array | undefined): string => {
  const parsed = parseMessage(bytes, 1_000);
  return parsed.ok ? `${parsed.value.length} documents` : parsed.error.code;
};

describe("parseMessage", () => {
  it("takes one document, and a list of documents", () => {
    expect(codeOf(bytesOf({ id: "a", text: "x" }))).toBe("1 documents");
    expect(
      codeOf(
        bytesOf({
          documents: [
            { id: "a", text: "x" },
            { id: "b", text: "y", user_id: "u" },
          ],
        }),
      ),
    ).toBe("2 documents");
  });

  it.each([
    ["no message", undefined, "message_missing"],
    ["a byte too many", new Uint8Array(1_001), "message_too_large"],
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), "message_not_utf8"],
    ["half a JSON value", new TextEncoder().encode('{"id":'), "message_not_json"],
    ["a number", bytesOf(1), "message_invalid"],
    ["null", bytesOf(null), "message_invalid"],
    ["a document without text", bytesOf({ id: "a" }), "message_invalid"],
    ["a field that nobody knows", bytesOf({ id: "a", text: "x", texts: "y" }), "message_invalid"],
    ["no documents", bytesOf({ documents: [] }), "message_invalid"],
  ])("refuses %s", (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it("never throws, and never repeats content in a reason", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.json(), (bytes, json) => {
        for (const message of [bytes, new TextEncoder().encode(json)]) parseMessage(message, 1_000);
      }),
    );
    const refused = parseMessage(bytesOf({ id: "a", text: { secret: "Mrs Miller" } }), 1_000);
    expect(JSON.stringify(refused)).not.toContain("Miller");
  });
});
