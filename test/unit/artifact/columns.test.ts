import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, ENCODING } from "../../../src/lib/artifact/columns/cell.ts";
import { decodeColumn } from "../../../src/lib/artifact/columns/decode-column.ts";
import { encodeColumn } from "../../../src/lib/artifact/columns/encode-column.ts";
import { bytesOfHex, ulidOf } from "../../../src/lib/artifact/columns/identifier-bytes.ts";
import { TailReader, TailWriter } from "../../../src/lib/artifact/columns/tail.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
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
    expect(encodingOf(["a text", "with U+0000: \0"])).toBe(ENCODING.plain);
  });

  it("stores times at equal distances as one step", () => {
    const times = Array.from({ length: 64 }, (_, index) => 1_700_000_000_000_000 + index * 60_000_000);
    expect(encode(encodeColumn(times)).length).toBeLessThan(32);
  });

  it("stores places that begin anew as steps, and lengths as they are", () => {
    const places = Array.from({ length: 64 }, (_, index) => (index * 3) % 60);
    expect(encodeColumn(places)[4]).toBe(0);
    expect(encodeColumn(places)[6]).toEqual(Uint8Array.from({ length: 63 }, (_, row) => (row % 20 === 19 ? 0 : 1)));
    const lengths = Array.from({ length: 64 }, (_, index) => (index * index * 37) % 251);
    expect(encodeColumn(lengths)[4]).toBeNull();
    for (const cells of [places, lengths]) expect(again(cells)).toEqual({ ok: true, value: cells });
  });
});

describe("the tail of a block", () => {
  const random = new SeededRandom(5);
  const noise = (bytes: number): string =>
    Array.from({ length: bytes }, () => random.below(256).toString(16).padStart(2, "0")).join("");
  const rows = Array.from({ length: 64 }, (_, row) => row);

  function split(cells: readonly Cell[]): { tail: Uint8Array; again: unknown } {
    const writer = new TailWriter();
    const column = encodeColumn(cells, { tail: writer, words: null, text: { left: 0 } });
    const tail = writer.bytes();
    const source = { tail: new TailReader(tail), words: null, text: { left: 0 } };
    return { tail, again: decodeColumn(decode(encode(column)), cells.length, source) };
  }

  it("takes the bytes of random identifiers, and leaves what they have in common", () => {
    const hashes = rows.map(() => noise(32));
    expect(split(hashes)).toEqual({
      tail: expect.objectContaining({ length: 64 * 32 }),
      again: { ok: true, value: hashes },
    });
    const ulids = rows.map(() => `01M8AAAAAA${ulidOf(bytesOfHex(noise(16))).slice(10)}`);
    expect(split(ulids)).toEqual({
      tail: expect.objectContaining({ length: 64 * 10 }),
      again: { ok: true, value: ulids },
    });
    const times = rows.map((row) => 1_700_000_000_000_000 + row * 60_000_000 + random.below(1_000_000));
    const read = split(times);
    expect(read.again).toEqual({ ok: true, value: times });
    expect(read.tail.length).toBeGreaterThanOrEqual(63 * 2);
    expect(split(rows.map((row) => `0011220${row % 8}0${row >> 3}`)).tail).toHaveLength(0);
  });

  it("is read only where it has what its columns take", () => {
    const column = (source: TailReader) =>
      decodeColumn([ENCODING.hex, 4, 1, Uint8Array.of(1, 2)], 2, { tail: source, words: null, text: { left: 0 } });
    expect(column(new TailReader(Uint8Array.of(1, 2, 3, 4, 5)))).toEqual({
      ok: false,
      error: { code: "column_malformed" },
    });
    expect(column(new TailReader(Uint8Array.of(1, 2, 3, 4, 5, 6)))).toEqual({
      ok: true,
      value: ["01010305", "02020406"],
    });
    for (const kept of [-1, 5, 0.5, "1", null])
      expect(decodeColumn([ENCODING.hex, 4, kept, Uint8Array.of(1, 2)], 2).ok).toBe(false);
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
