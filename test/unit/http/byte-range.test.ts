import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteRange } from "../../../src/workers/http/byte-range.ts";

describe("a Range header", () => {
  it("gives a part that lies inside the object, or none", () => {
    fc.assert(
      fc.property(
        fc.option(fc.nat(200), { nil: "" }),
        fc.option(fc.nat(200), { nil: "" }),
        fc.nat(100),
        (from, to, size) => {
          const range = byteRange(`bytes=${from}-${to}`, size);
          if (range === undefined || range === "unsatisfiable") return;
          expect(range.length).toBeGreaterThan(0);
          expect(range.offset + range.length).toBeLessThanOrEqual(size);
          if (from !== "") expect(range.offset).toBe(from);
        },
      ),
    );
  });

  it.each([
    [null, undefined],
    ["items=0-1", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes=-", undefined],
    ["bytes=5-2", undefined],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=-99", { offset: 0, length: 10 }],
    ["bytes=9-9", { offset: 9, length: 1 }],
  ])("%s of ten bytes is %o", (header, expected) => {
    expect(byteRange(header, 10)).toEqual(expected);
  });
});
