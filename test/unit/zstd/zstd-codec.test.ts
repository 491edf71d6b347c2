import fc from "fast-check";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { proveDictionaries, provedZstd } from "../../../src/lib/zstd/proved-zstd.ts";
import { trainDictionary } from "../../../src/lib/zstd/train-dictionary.ts";
import { zstdDictionary } from "../../../src/lib/zstd/zstd-dictionary.ts";
import { zstdModule } from "../../support/zstd-module.ts";

const module = zstdModule();
const zstd = provedZstd(module);
const utf8 = (text: string) => new TextEncoder().encode(text);
const samples = Array.from({ length: 600 }, (_, n) =>
  utf8(`{"id":${n},"name":"person ${n % 7}","text":"line ${n % 90} of it"}`),
);
const trained = trainDictionary(module, samples, { level: 19, bytesMax: 2_048 });
if (!trained.ok) throw new Error(trained.error.code);
const dictionary = trained.value;

describe("zstd as WebAssembly", () => {
  it("gives back what it was given, with and without a dictionary, at any level", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3_000 }),
        fc.integer({ min: 1, max: 19 }),
        fc.boolean(),
        (content, level, isWith) => {
          const used = isWith ? dictionary : undefined;
          const frame = zstd.compress(content, { level, dictionary: used });
          expect(zstd.decompress(frame, { bytesMax: content.length, dictionary: used })).toEqual({
            ok: true,
            value: content,
          });
        },
      ),
    );
  });

  it("writes frames that node:zlib reads, and reads those of node:zlib", () => {
    const text = utf8("a text that is said twice, a text that is said twice");
    expect(new Uint8Array(zstdDecompressSync(zstd.compress(text, { level: 19 })))).toEqual(text);
    expect(
      new Uint8Array(
        zstdDecompressSync(zstd.compress(text, { level: 19, dictionary }), { dictionary: dictionary.bytes }),
      ),
    ).toEqual(text);
    expect(zstd.decompress(zstdCompressSync(text), { bytesMax: 1_000 })).toEqual({ ok: true, value: text });
  });

  it("uses the dictionary: the frame is smaller, and unreadable without it or with another", () => {
    const text = utf8('{"id":1000,"name":"person 3","text":"line 17 of it"}');
    const frame = zstd.compress(text, { level: 19, dictionary });
    expect(frame.length).toBeLessThan(zstd.compress(text, { level: 19 }).length * 0.7);
    const other = trainDictionary(module, samples.slice(300), { level: 19, bytesMax: 1_024 });
    if (!other.ok) throw new Error(other.error.code);
    for (const wrong of [undefined, other.value])
      expect(zstd.decompress(frame, { bytesMax: 1_000, dictionary: wrong })).toEqual({
        ok: false,
        error: { code: "zstd_invalid" },
      });
  });

  it("refuses a frame that says it is larger than allowed before it reserves anything", () => {
    const bomb = zstd.compress(new Uint8Array(50_000_000), { level: 1 });
    const fresh = provedZstd(module);
    const before = fresh.memoryBytes;
    expect(fresh.decompress(bomb, { bytesMax: 1_000_000 })).toMatchObject({
      ok: false,
      error: { code: "zstd_too_large", bytes: 50_000_000 },
    });
    expect(fresh.memoryBytes - before).toBeLessThan(2_000_000);
  });

  it("never crashes and never gives more than allowed on damaged frames", () => {
    const frame = zstd.compress(utf8("some words, and some more words".repeat(20)), { level: 19, dictionary });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const damaged = Uint8Array.from(frame);
          for (const [at, value] of changes) damaged[at] = value;
          const read = zstd.decompress(damaged, { bytesMax: 1_000, dictionary });
          if (read.ok) expect(read.value.length).toBeLessThanOrEqual(1_000);
        },
      ),
      { numRuns: 2_000 },
    );
    for (let length = 0; length < frame.length; length++)
      expect(zstd.decompress(frame.subarray(0, length), { bytesMax: 1_000, dictionary }).ok).toBe(false);
    expect(zstd.decompress(Uint8Array.from([...frame, ...frame]), { bytesMax: 5_000, dictionary }).ok).toBe(false);
  });

  it("is not accepted when it ignores dictionaries", () => {
    const deaf = {
      compress: (content: Uint8Array, { level }: { level: number }) => zstd.compress(content, { level }),
      decompress: (frame: Uint8Array, { bytesMax }: { bytesMax: number }) => zstd.decompress(frame, { bytesMax }),
    };
    expect(() => proveDictionaries(deaf)).toThrow("known frame");
  });

  it("trains the same dictionary of the same samples, and none of too few", () => {
    expect(trainDictionary(module, samples, { level: 19, bytesMax: 2_048 })).toEqual(trained);
    expect(trainDictionary(module, [], { level: 19 })).toEqual({ ok: false, error: { code: "training_failed" } });
    expect(trainDictionary(module, samples.slice(0, 2), { level: 19 }).ok).toBe(false);
  });

  it("takes only trained dictionaries of a bounded size", () => {
    expect(zstdDictionary(utf8("just words")).ok).toBe(false);
    expect(zstdDictionary(dictionary.bytes)).toEqual({ ok: true, value: dictionary });
  });

  it("keeps its memory when many dictionaries pass through", () => {
    const codec = provedZstd(module);
    const text = utf8("one text for all of them");
    const peaks = [0, 1, 2, 3].map((round) => {
      for (let n = 0; n < 12; n++) {
        const bytes = Uint8Array.from(dictionary.bytes);
        const used = { id: `${round}-${n}`, bytes };
        const frame = codec.compress(text, { level: 19, dictionary: used });
        expect(codec.decompress(frame, { bytesMax: 100, dictionary: used }).ok).toBe(true);
      }
      return codec.memoryBytes;
    });
    expect(peaks.at(-1)).toBe(peaks[1]);
  });
});
