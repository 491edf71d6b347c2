import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apiKeyHint, isApiKey, makeApiKey } from "../../../src/lib/auth/api-key.ts";
import { LruMap } from "../../../src/lib/auth/lru-map.ts";
import { utf8Bytes } from "../../../src/lib/base/bytes.ts";

const random = (bytes: Uint8Array<ArrayBuffer>) => void crypto.getRandomValues(bytes);

describe("an API key", () => {
  it("has its form and its checksum, and is another one each time", () => {
    const keys = Array.from({ length: 500 }, () => makeApiKey(random));
    for (const key of keys) expect(key).toMatch(/^jvk_[0-9A-Za-z]{36}$/);
    expect(keys.every(isApiKey)).toBe(true);
    expect(new Set(keys).size).toBe(500);
  });

  it("with one character changed is no key", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 39 }), fc.constantFrom(..."0129AZaz_-".split("")), (at, character) => {
        const key = makeApiKey(random);
        const changed = key.slice(0, at) + character + key.slice(at + 1);
        expect(isApiKey(changed)).toBe(changed === key);
      }),
    );
  });

  it("is not any other text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        expect(isApiKey(text)).toBe(false);
      }),
    );
    expect(isApiKey(`${makeApiKey(random)}\n`)).toBe(false);
  });

  it("uses every character equally often: bytes that would favour some are dropped", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 2000; i++)
      for (const c of makeApiKey(random).slice(4, 34)) counts.set(c, (counts.get(c) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 60,000 draws over 62 characters: 968 each, standard deviation 31; six of them on either side.
    for (const count of counts.values()) expect(Math.abs(count - 968)).toBeLessThan(186);
  });

  it("fails loudly when the random source is broken", () => {
    expect(() => makeApiKey((bytes) => void bytes.fill(255))).toThrow("the random source gave enough usable bytes");
  });

  it("shows only its first characters as a hint", () => {
    expect(apiKeyHint("jvk_abcdefghij")).toBe("jvk_abcd");
  });
});

describe("crc32", () => {
  it("gives the check value of the standard", () => {
    expect(crc32(utf8Bytes("123456789"))).toBe(0xcbf43926);
  });
});

describe("an LRU map", () => {
  it("holds what was used last, and never more than its capacity", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 })), { maxLength: 200 }), (steps) => {
        const map = new LruMap<number, number>(4);
        let recent: number[] = [];
        for (const [isSet, key] of steps) {
          const isHeld = recent.includes(key);
          if (isSet) map.set(key, key);
          else expect(map.get(key)).toBe(isHeld ? key : undefined);
          if (isSet || isHeld) recent = [key, ...recent.filter((other) => other !== key)].slice(0, 4);
        }
        for (let key = 0; key < 10; key++) expect(map.get(key)).toBe(recent.includes(key) ? key : undefined);
      }),
    );
  });
});
