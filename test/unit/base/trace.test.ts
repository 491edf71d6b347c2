import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uuidTimeMs, uuidV7 } from "../../../src/lib/base/ids.ts";
import { isTraceId, newTraceId, parseTraceparent, traceparentOf, traceWithin } from "../../../src/lib/base/trace.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";

const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString("hex"))
    .filter((text) => !/^0+$/.test(text));
const fillWith =
  (value: number) =>
  (bytes: Uint8Array): void =>
    void bytes.fill(value);

describe("a traceparent", () => {
  it("is read as the standard's example says", () => {
    expect(parseTraceparent(`00-${TRACE_ID}-${SPAN_ID}-01`)).toEqual({
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      isSampled: true,
    });
    expect(parseTraceparent(`00-${TRACE_ID}-${SPAN_ID}-00`)?.isSampled).toBe(false);
  });

  it("comes back from what it was written to", () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        expect(parseTraceparent(traceparentOf({ traceId, spanId, isSampled }))).toEqual({ traceId, spanId, isSampled });
      }),
    );
  });

  it("of a later version may have more at its end, one of this version may not", () => {
    expect(parseTraceparent(`01-${TRACE_ID}-${SPAN_ID}-01-more`)?.traceId).toBe(TRACE_ID);
    expect(parseTraceparent(`00-${TRACE_ID}-${SPAN_ID}-01-more`)).toBeUndefined();
  });

  it.each([
    ["nothing", null],
    ["an empty header", ""],
    ["the forbidden version", `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${SPAN_ID}-01`],
    ["a span id of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["upper-case digits", `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`],
    ["a short id", `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`],
    ["two headers in one", `00-${TRACE_ID}-${SPAN_ID}-01,00-${TRACE_ID}-${SPAN_ID}-01`],
    ["blanks around it", ` 00-${TRACE_ID}-${SPAN_ID}-01`],
    ["a line break", `00-${TRACE_ID}-${SPAN_ID}-01\n`],
    ["a book", `01-${TRACE_ID}-${SPAN_ID}-01-${"x".repeat(300)}`],
  ])("is not read from %s", (_, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it("never throws, whatever the header", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), (header) => void parseTraceparent(header)));
  });
});

describe("a stretch of a trace", () => {
  it("keeps the trace and the sampling of its caller and has an id of its own", () => {
    const caller = { traceId: TRACE_ID, spanId: SPAN_ID, isSampled: true };
    expect(traceWithin(caller, fillWith(0xab))).toEqual({ ...caller, spanId: "ab".repeat(8) });
  });

  it("never has an id of zeros", () => {
    expect(isTraceId(newTraceId(fillWith(0)))).toBe(true);
    expect(parseTraceparent(traceparentOf(traceWithin({ traceId: TRACE_ID }, fillWith(0))))).toBeDefined();
  });
});

describe("a request id", () => {
  it("says when it was made, and without its dashes is the id of a trace", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 48 - 1 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (ms, random) => {
          const id = uuidV7(
            () => ms,
            (bytes) => bytes.set(random),
          );
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(uuidTimeMs(id)).toBe(ms);
          expect(isTraceId(id.replaceAll("-", ""))).toBe(true);
        },
      ),
    );
    expect(uuidTimeMs("f47ac10b-58cc-4372-a567-0e02b2c3d479")).toBeUndefined();
  });
});
