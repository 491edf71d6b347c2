import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { embedMessageSchema } from "../../../src/lib/contract/queue-message.ts";
import { embedMessages, sendBatches } from "../../../src/lib/wal/embed-messages.ts";
import { splitRanges } from "../../../src/lib/wal/split-ranges.ts";
import { parseWalKey, walKey } from "../../../src/lib/wal/wal-key.ts";

const BUDGET = { textBytesMax: 64 * 1024, documentsMax: 100 };
const sum = (list: readonly number[]) => list.reduce((total, size) => total + size, 0);

describe("the ranges of a request", () => {
  it("cover every document once, in order, and keep the budget unless one document alone exceeds it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 200_000 })), { maxLength: 400 }),
        (sizes) => {
          const ranges = splitRanges(sizes, BUDGET);
          let next = 0;
          for (const { documentStart, documentCount } of ranges) {
            expect(documentStart).toBe(next);
            expect(documentCount).toBeGreaterThan(0);
            expect(documentCount).toBeLessThanOrEqual(BUDGET.documentsMax);
            const bytes = sum(sizes.slice(documentStart, documentStart + documentCount));
            if (documentCount > 1) expect(bytes).toBeLessThanOrEqual(BUDGET.textBytesMax);
            next += documentCount;
          }
          expect(next).toBe(sizes.length);
        },
      ),
    );
  });

  it("begin with a small one, so that the first hits come soon", () => {
    const ranges = splitRanges(
      Array.from({ length: 1000 }, () => 1000),
      BUDGET,
    );
    expect(ranges.slice(0, 2)).toEqual([
      { documentStart: 0, documentCount: 16 },
      { documentStart: 16, documentCount: 65 },
    ]);
  });

  it("of documents without text are cut by count", () => {
    expect(
      splitRanges(
        Array.from({ length: 300 }, () => 0),
        BUDGET,
      ).map((range) => range.documentCount),
    ).toEqual([25, 100, 100, 75]);
  });
});

describe("the messages of a WAL object", () => {
  const head = {
    version: 1 as const,
    tenant_id: "acme",
    wal_id: "01KAS6A8QZ7M5D2N4P6R8T0V1W",
    batch_tag: "b",
    received_at_ms: 1,
    request_id: "r",
    gate_version: "1",
  };

  it("are pointers of under 4 KB that the consumer's schema accepts", () => {
    const [message] = embedMessages(
      { ...head, batch_tag: "b".repeat(64), request_id: "r".repeat(100) },
      [{ documentStart: 0, documentCount: 1000 }],
      1e13,
    );
    expect(embedMessageSchema.safeParse(message).success).toBe(true);
    expect(JSON.stringify(message).length).toBeLessThan(4000);
  });

  it("go out in groups that the queue takes, by count and by bytes, none left behind", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 90 }), { maxLength: 300 }), (messages) => {
        const groups = sendBatches(messages, { messagesMax: 7, bytesMax: 200 });
        expect(groups.flat()).toEqual(messages);
        for (const group of groups) {
          expect(group.length).toBeLessThanOrEqual(7);
          if (group.length > 1) expect(sum(group.map((text) => JSON.stringify(text).length))).toBeLessThanOrEqual(200);
        }
      }),
    );
  });
});

describe("the key of a WAL object", () => {
  it("follows from tenant and id, and names them", () => {
    const key = walKey("acme", "01M8539EWVW7CSDBSYERM3HDHE");
    expect(key).toBe("wal/acme/2026-11-23/01M8539EWVW7CSDBSYERM3HDHE.mpz");
    expect(parseWalKey(key)).toEqual({ tenantId: "acme", day: "2026-11-23", walId: "01M8539EWVW7CSDBSYERM3HDHE" });
    expect(parseWalKey("wal/acme/2026-11-23/../secrets")).toBeUndefined();
  });
});
