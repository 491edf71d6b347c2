import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, ENCODING } from "../../../src/lib/artifact/columns/cell.ts";
import { decodeColumn } from "../../../src/lib/artifact/columns/decode-column.ts";
import { encodeColumn } from "../../../src/lib/artifact/columns/encode-column.ts";
import { halfBitsOf, numberOfHalf } from "../../../src/lib/artifact/half-precision.ts";

function again(cells: readonly Cell[]): unknown {
  return decodeColumn(decode(encode(encodeColumn(cells))), cells.length);
}

describe("a column", () => {
  it("gives back integers of any size", () => {
    const integer = fc.oneof(
      fc.maxSafeInteger(),
      fc.nat(300),
      fc.constantFrom(Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER),
    );
    fc.assert(
      fc.property(fc.array(integer, { minLength: 1, maxLength: 8 }), (cells) => {
        expect(again(cells)).toEqual({ ok: true, value: cells });
      }),
      { numRuns: 3_000 },
    );
  });

  it("takes the encoding that its cells suggest", () => {
    const rows = Array.from({ length: 8 }, (_, index) => index);
    const encodingOf = (cells: readonly Cell[]): unknown => encodeColumn(cells)[0];
    expect(encodingOf(rows.map(() => "same"))).toBe(ENCODING.constant);
    expect(encodingOf(rows.map((row) => 1_700_000_000_000 + row * 60_000))).toBe(ENCODING.integers);
    expect(encodingOf(rows.map((row) => (row % 2 === 0 ? "user" : "assistant")))).toBe(ENCODING.repeats);
    expect(encodingOf(rows.map((row) => `0011223344${row}${row}`))).toBe(ENCODING.hex);
    expect(encodingOf(rows.map((row) => `00000000-0000-4000-8000-00000000000${row}`))).toBe(ENCODING.uuids);
    expect(encodingOf(rows.map((row) => `01M8AAAAAAAAAAAAAAAAAAAAA${row}`))).toBe(ENCODING.ulids);
    expect(encodingOf(rows.map((row) => `talk/${row}`))).toBe(ENCODING.numbered);
    expect(encodingOf(rows.map((row) => "x".repeat(row)))).toBe(ENCODING.text);
    expect(encodingOf(rows.map((row) => (row === 3 ? undefined : row)))).toBe(ENCODING.optional);
    expect(encodingOf([1.5, "a", null, true])).toBe(ENCODING.plain);
  });

  it("stores times at equal distances as one step", () => {
    const times = Array.from({ length: 64 }, (_, index) => 1_700_000_000_000_000 + index * 60_000_000);
    expect(encode(encodeColumn(times)).length).toBeLessThan(32);
  });

  it("stores places that begin anew as steps, and lengths as they are", () => {
    const places = Array.from({ length: 64 }, (_, index) => (index * 3) % 60);
    expect(encodeColumn(places)[4]).toBe(0);
    expect(encodeColumn(places)[5]).toEqual(Uint8Array.from({ length: 63 }, (_, row) => (row % 20 === 19 ? 0 : 1)));
    const lengths = Array.from({ length: 64 }, (_, index) => (index * index * 37) % 251);
    expect(encodeColumn(lengths)[4]).toBeNull();
    for (const cells of [places, lengths]) expect(again(cells)).toEqual({ ok: true, value: cells });
  });
});

describe("half precision", () => {
  it("rounds as Float16Array does", () => {
    const half = new Float16Array(1);
    fc.assert(
      fc.property(
        fc.oneof(fc.float({ noNaN: true, min: -65_000, max: 65_000 }), fc.float({ min: -1, max: 1, noNaN: true })),
        (value) => {
          half[0] = value;
          expect(numberOfHalf(halfBitsOf(value))).toBe(half[0]);
        },
      ),
      { numRuns: 5_000 },
    );
    for (let bits = 0; bits < 0x7c00; bits++) expect(halfBitsOf(numberOfHalf(bits))).toBe(bits);
  });
});
