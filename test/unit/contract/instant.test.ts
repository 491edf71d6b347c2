import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inUtc, instantSchema } from "../../../src/lib/contract/instant.ts";

const pad = (value: number): string => String(value).padStart(2, "0");
const offsets = fc
  .tuple(fc.constantFrom("+", "-"), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([sign, hours, minutes]) => `${sign}${pad(hours)}:${pad(minutes)}`);
const IN_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

describe("a client's time", () => {
  it("becomes the same time in UTC, whatever its offset", () => {
    const times = fc.date({ min: new Date("0002-01-01"), max: new Date("9998-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(times, offsets, (date, offset) => {
        const time = `${date.toISOString().slice(0, -1)}${offset}`;
        const read = instantSchema.parse(time);
        expect(read).toMatch(IN_UTC);
        expect(Date.parse(read)).toBe(Date.parse(time));
      }),
    );
  });

  it("keeps microseconds", () => {
    expect(inUtc("2026-01-02T03:04:05.1234567+01:30")).toBe("2026-01-02T01:34:05.123456Z");
    expect(inUtc("2026-01-02T03:04:05Z")).toBe("2026-01-02T03:04:05.000000Z");
  });

  it("stays within the years that the store can tell", () => {
    expect(inUtc("0000-02-29T00:00:00Z")).toBe("0001-01-01T00:00:00.000000Z");
    expect(inUtc("0001-01-01T00:00:00+23:59")).toBe("0001-01-01T00:00:00.000000Z");
    expect(inUtc("9999-12-31T23:59:59.9-23:59")).toBe("9999-12-31T23:59:59.900000Z");
  });
});
