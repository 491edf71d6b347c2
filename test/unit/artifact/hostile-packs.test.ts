import { zstdDecompressSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinBytes } from "../../../src/lib/base/bytes.ts";
import { sha256HexSync, sha256Sync } from "../../../src/lib/base/hash.ts";
import { ENCODING } from "../../../src/lib/artifact/columns/cell.ts";
import { decodeColumn } from "../../../src/lib/artifact/columns/decode-column.ts";
import { WordCode } from "../../../src/lib/artifact/columns/word-code.ts";
import { decodeBlock } from "../../../src/lib/artifact/decode-block.ts";
import { encodeBlock } from "../../../src/lib/artifact/encode-block.ts";
import type { EncodedBlock } from "../../../src/lib/artifact/encoded-block.ts";
import { encodeFooter, shortDigest, type PackFooter } from "../../../src/lib/artifact/pack-footer.ts";
import { writeHeader, writeTrailer } from "../../../src/lib/artifact/pack-layout.ts";
import { PACK_LIMITS } from "../../../src/lib/artifact/pack-limits.ts";
import { compressPlanes, decompressPlanes } from "../../../src/lib/artifact/vector-frames.ts";
import { PackError } from "../../../src/reader/read-columns.ts";
import { readPack } from "../../../src/reader/read-pack.ts";
import { conversation, HEAD } from "../../support/pack-records.ts";
import { dictionaryOf, memorySource, open, packOf, zstd } from "./records.ts";

const RECORDS = conversation(70, 6);
const VECTORS = { fingerprint: "model-a", dimensions: 6, kind: "f16" } as const;
const DICTIONARY = await dictionaryOf(conversation(2_000));
const { bytes: PACK } = await packOf(RECORDS, { vectors: VECTORS });
/** The same in words, with a tail: what only such packs have. */
const RECORDS_IN_WORDS = conversation(70).map((record, index) => ({
  ...record,
  content_hash: sha256HexSync(`${index}`),
}));
const { bytes: PACK_IN_WORDS } = await packOf(RECORDS_IN_WORDS, { dictionary: DICTIONARY });
const WITHOUT_VECTORS = new Set([...RECORDS, ...RECORDS_IN_WORDS].map(withoutVectors));
const TEXTS = new Set<unknown>(RECORDS.map(({ text }) => text));

/** A record as text, its keys in one order; the vectors of f16 are not those that went in. */
function withoutVectors(record: (typeof RECORDS)[number]): string {
  return JSON.stringify(record, (name, value: unknown) => {
    if (name === "vector") return null;
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    return isMap ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1))) : value;
  });
}

/** Opens and reads all; every record that comes out must be one that went in. */
async function readsNothingWrong(bytes: Uint8Array): Promise<number> {
  let count = 0;
  const opened = await open(memorySource(bytes), { dictionary: DICTIONARY });
  if (!opened.ok) return 0;
  for (const block of opened.value.footer.blocks.keys()) {
    const records = await opened.value.readBlock(block);
    if (!records.ok) continue;
    for (const record of records.value) {
      expect(WITHOUT_VECTORS.has(withoutVectors(record))).toBe(true);
      count += 1;
    }
  }
  return count;
}

/** The stand-alone reader may refuse by throwing an Error; nothing else may come out of it. */
async function standAloneReadsNothingWrong(bytes: Uint8Array): Promise<void> {
  try {
    const pack = await readPack(bytes, {
      dictionary: DICTIONARY.bytes,
      decompress: (frame, _, maxOutputLength) =>
        new Uint8Array(zstdDecompressSync(frame, { dictionary: DICTIONARY.bytes, maxOutputLength })),
    });
    for await (const record of pack.records()) expect(TEXTS.has(record["text"])).toBe(true);
  } catch (error) {
    expect(error).toBeInstanceOf(PackError);
  }
}

describe("a damaged pack", () => {
  const packs = [
    { what: "with vectors", pack: PACK },
    { what: "in words, with a tail", pack: PACK_IN_WORDS },
  ];

  it.each(packs)("is refused when it is cut off anywhere, $what", async ({ pack }) => {
    expect(await readsNothingWrong(pack)).toBe(RECORDS.length);
    for (let length = 0; length < pack.length; length++) {
      expect((await open(memorySource(pack.subarray(0, length)), { dictionary: DICTIONARY })).ok).toBe(false);
      await standAloneReadsNothingWrong(pack.subarray(0, length));
    }
  });

  it.each(packs)(
    "gives no wrong record whichever bit is flipped, and names a damaged block, $what",
    async ({ pack }) => {
      let lost = 0;
      for (let at = 0; at < pack.length; at++) {
        const damaged = Uint8Array.from(pack);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        if ((await readsNothingWrong(damaged)) < RECORDS.length) lost += 1;
        await standAloneReadsNothingWrong(damaged);
      }
      // Header, whole-file digest and the padding of neither are what reading blocks does not look at.
      expect(lost).toBeGreaterThan(pack.length - 24 - 32 - 4);
    },
    60_000,
  );

  it("gives no wrong record when bytes are changed, put in or taken out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(PACK.length - 1), fc.uint8Array({ maxLength: 6 }), fc.nat(6)), {
          minLength: 1,
          maxLength: 4,
        }),
        async (edits) => {
          let bytes = [...PACK];
          for (const [at, put, taken] of edits) bytes = [...bytes.slice(0, at), ...put, ...bytes.slice(at + taken)];
          await readsNothingWrong(Uint8Array.from(bytes));
          await standAloneReadsNothingWrong(Uint8Array.from(bytes));
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  it("is refused when the source gives less than it promised, or fails", async () => {
    const short = { ...memorySource(PACK), sizeBytes: PACK.length + 10 };
    expect(await open(short)).toMatchObject({ ok: false, error: { code: "pack_truncated" } });
    const failing = { sizeBytes: PACK.length, read: () => Promise.reject(new Error("gone")) };
    expect(await open(failing)).toMatchObject({ ok: false, error: { code: "storage_unavailable" } });
  });
});

/** A pack whose digests are right and whose content is what an attacker likes. */
function forged(
  { content, tail }: EncodedBlock,
  change: Partial<PackFooter["blocks"][number]> = {},
  footerRawBytes?: number,
): Uint8Array {
  const stored = joinBytes([zstd.compress(content, { level: 1 }), tail]);
  const entry = {
    recordCount: 1,
    rawBytes: content.length,
    storedBytes: stored.length,
    tailBytes: tail.length,
    digest: shortDigest(sha256Sync(stored)),
    vectorCount: 0,
    vectorStoredBytes: 0,
    vectorDigest: "00".repeat(8),
    firstUserId: "",
    firstDocumentId: "",
    ...change,
  };
  const raw = encodeFooter({ head: HEAD, dictionaryId: null, vectors: null, isSorted: true, blocks: [entry] });
  const footer = zstd.compress(raw, { level: 1 });
  const before = Buffer.concat([writeHeader(null), stored, footer]);
  const trailer = writeTrailer({
    footerStoredBytes: footer.length,
    footerRawBytes: footerRawBytes ?? raw.length,
    footerDigest: sha256Sync(footer),
    fileDigest: sha256Sync(before),
    recordCount: entry.recordCount,
  });
  return new Uint8Array(Buffer.concat([before, trailer]));
}

function blockOf(content: Uint8Array, tail = new Uint8Array()): EncodedBlock {
  return { content, tail };
}

async function outcomeOf(bytes: Uint8Array): Promise<unknown> {
  const opened = await open(memorySource(bytes));
  if (!opened.ok) return opened.error;
  const block = await opened.value.readBlock(0);
  return block.ok ? "read" : block.error;
}

describe("a pack that lies", () => {
  const honest = encodeBlock(conversation(1), { derivations: {}, head: HEAD });

  it("is read when it does not, so that the forgeries below fail for their lie", async () => {
    expect(await outcomeOf(forged(honest))).toBe("read");
  });

  it("is refused for counts and sizes that are not so", async () => {
    expect(await outcomeOf(forged(honest, { recordCount: 2 }))).toEqual({ code: "pack_damaged", block: 0 });
    expect(await outcomeOf(forged(honest, { recordCount: 65 }))).toEqual({ code: "pack_damaged" });
    expect(await outcomeOf(forged(honest, { storedBytes: 5 }))).toEqual({ code: "pack_damaged" });
    expect(await outcomeOf(forged(honest, { rawBytes: honest.content.length + 1 }))).toEqual({
      code: "pack_damaged",
      block: 0,
    });
    expect(await outcomeOf(forged(honest, { rawBytes: honest.content.length - 1 }))).toEqual({
      code: "pack_damaged",
      block: 0,
    });
    expect(await outcomeOf(forged(honest, { vectorCount: 1 }))).toEqual({ code: "pack_damaged" });
    expect(await outcomeOf(forged(honest, {}, 900_000_000))).toMatchObject({ code: "pack_too_large" });
  });

  it("is refused for a tail that has more or less than its columns take, or is longer than its block", async () => {
    const { content, tail } = encodeBlock(RECORDS_IN_WORDS.slice(0, 64), { derivations: {}, head: HEAD });
    expect(tail.length).toBe(64 * 32);
    const counted = { recordCount: 64 };
    expect(await outcomeOf(forged({ content, tail }, counted))).toBe("read");
    for (const other of [tail.subarray(1), joinBytes([tail, Uint8Array.of(1)])])
      expect(await outcomeOf(forged({ content, tail: other }, counted))).toEqual({ code: "pack_damaged", block: 0 });
    for (const tailBytes of [-1, 0.5, 1_000_000, 16 * 1024 * 1024])
      expect(await outcomeOf(forged({ content, tail }, { ...counted, tailBytes }))).toEqual({ code: "pack_damaged" });
  });

  it("is refused for words that become more than a block may hold", () => {
    const words = new WordCode([" a-word-of-thirty-two-bytes-long"]);
    const bomb = Uint8Array.from([...Array.from({ length: 400_000 }, () => 0x80), 0]);
    const block = blockOf(encode([1, 0, [["document_id", [ENCODING.words, bomb]]]]));
    expect(decodeBlock(block, PACK_LIMITS, words)).toEqual({ ok: false, error: { code: "column_malformed" } });
    const small = blockOf(
      encode([
        1,
        0,
        [
          ["chunks", [ENCODING.constant, 0]],
          ["document_id", [ENCODING.words, Uint8Array.of(0x80, 0)]],
        ],
      ]),
    );
    expect(decodeBlock(small, PACK_LIMITS, words).ok).toBe(true);
    expect(decodeBlock(small, PACK_LIMITS)).toEqual({ ok: false, error: { code: "column_malformed" } });
  });

  it("is refused for vectors whose planes do not have their lengths", () => {
    const planes = new Uint8Array(40).fill(7);
    const stored = compressPlanes(zstd, planes, [20, 20]);
    expect(decompressPlanes(zstd, stored, [20, 20])).toEqual(planes);
    for (let length = 0; length < stored.length; length++)
      expect(decompressPlanes(zstd, stored.subarray(0, length), [20, 20])).toBeUndefined();
    for (const sizes of [[20], [20, 20, 20], [19, 21], [21, 19], [40]])
      expect(decompressPlanes(zstd, stored, sizes)).toBeUndefined();
    expect(decompressPlanes(zstd, joinBytes([stored, Uint8Array.of(0)]), [20, 20])).toBeUndefined();
  });

  it("is refused for a block that unpacks to more than a block may hold", async () => {
    const bomb = blockOf(new Uint8Array(40_000_000));
    expect(await outcomeOf(forged(bomb))).toEqual({ code: "pack_damaged" });
    expect(await outcomeOf(forged(bomb, { rawBytes: 1_000 }))).toEqual({ code: "pack_damaged", block: 0 });
  });

  it("is refused for lengths inside a block that its bytes cannot hold, in little time", async () => {
    const bombs = [
      Uint8Array.from({ length: 50_000 }, () => 0xdd),
      Uint8Array.from([0x93, 1, 0, 0xdd, 0xff, 0xff, 0xff, 0xff]),
      encode([1, 4_000_000_000, []]),
      encode([64, 16_384, Array.from({ length: 5_000 }, (_, index) => [`metadata/${index}`, [2, "x"]])]),
      encode(Array.from({ length: 30 }).reduce<unknown>((inner) => [inner], [])),
    ];
    const startedMs = performance.now();
    for (const bomb of bombs)
      expect(await outcomeOf(forged(blockOf(bomb)))).toEqual({ code: "pack_damaged", block: 0 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it("gives only whole records or an error, whatever stands in a block", () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.integer({ min: -1, max: 70 }),
        fc.constantFrom("document_id", "chunk/text", "chunks", "text", "a", "metadata/__proto__"),
        fc.uint8Array({ maxLength: 9 }),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 6 }),
      ),
    })).value;
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.nat(3),
        fc.array(
          fc.tuple(fc.constantFrom("document_id", "chunk/text", "chunks", "text", "chunk_count", "chunk/vector"), json),
        ),
        (records, chunks, columns) => {
          const decoded = decodeBlock(blockOf(encode([records, chunks, columns])), PACK_LIMITS);
          if (decoded.ok) for (const record of decoded.value.records) expect(typeof record.document_id).toBe("string");
        },
      ),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(json, fc.nat(5), (column, count) => {
        const cells = decodeColumn(column, count);
        if (cells.ok) expect(cells.value).toHaveLength(count);
      }),
      { numRuns: 5_000 },
    );
  });
});
