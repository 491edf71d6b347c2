import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentUid, versionKey } from "../../../src/lib/base/document-uid.ts";
import { sha256HexSync } from "../../../src/lib/base/hash.ts";
import type { PackDerivations } from "../../../src/lib/artifact/derivations.ts";
import { wordCodeOf } from "../../../src/lib/artifact/dictionary-words.ts";
import { encodeBlock } from "../../../src/lib/artifact/encode-block.ts";
import { recodeBlock } from "../../../src/lib/artifact/recode-block.ts";
import { zstdDictionary } from "../../../src/lib/zstd/zstd-dictionary.ts";
import { packKey, parsePackKey } from "../../../src/lib/artifact/pack-key.ts";
import { PackWriter } from "../../../src/lib/artifact/pack-writer.ts";
import { verifyPack } from "../../../src/lib/artifact/verify-pack.ts";
import { PACK_LIMITS } from "../../../src/lib/artifact/pack-limits.ts";
import { conversation, HEAD, RECORD, wholeChunk } from "../../support/pack-records.ts";
import { anyRecord, dictionaryOf, memorySource, open, packOf, recordsOf, zstd } from "./records.ts";

const dictionary = await dictionaryOf(conversation(2_000));

/** A file beside the suite; `WRITE_GOLDEN=1` writes it where it is missing. */
function goldenFile(name: string, bytes: Uint8Array): Buffer {
  const path = new URL(`fixtures/${name}`, import.meta.url);
  if (!existsSync(path) && process.env["WRITE_GOLDEN"] === "1") writeFileSync(path, bytes);
  return readFileSync(path);
}

async function reread(...[records, settings]: Parameters<typeof packOf>) {
  const { bytes } = await packOf(records, settings);
  const opened = await open(memorySource(bytes), settings);
  if (!opened.ok) throw new Error(opened.error.code);
  expect(await opened.value.checkHeader()).toEqual({ ok: true, value: undefined });
  return { reader: opened.value, records: await recordsOf(opened.value), bytes };
}

describe("a pack", () => {
  it("gives back any records that it was given", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { maxLength: 150 }), fc.boolean(), async (records, isWith) => {
        expect((await reread(records, { dictionary: isWith ? dictionary : null })).records).toEqual(records);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it("has the same bytes for the same records", async () => {
    const [a, b] = [await packOf(conversation(200)), await packOf(conversation(200))];
    expect(a.bytes).toEqual(b.bytes);
    expect(a.summary).toEqual({
      recordCount: 200,
      sizeBytes: a.bytes.length,
      sha256: createHash("sha256").update(a.bytes).digest("hex"),
    });
  });

  it("is the file that was written when the format was fixed", async () => {
    const { bytes } = await packOf(conversation(70, 6), {
      vectors: { fingerprint: "model-a", dimensions: 6, kind: "f16" },
    });
    expect(Buffer.from(bytes).equals(goldenFile("conversation.mpz", bytes))).toBe(true);
  });

  it("is the file that was written with a dictionary when the format was fixed, and is read with it", async () => {
    const file = zstdDictionary(new Uint8Array(goldenFile("dictionary.bin", dictionary.bytes)));
    if (!file.ok) throw new Error(file.error.code);
    const records = conversation(70).map((record, index) => ({ ...record, content_hash: sha256HexSync(`${index}`) }));
    const { bytes } = await packOf(records, { dictionary: file.value });
    const golden = goldenFile("with-dictionary.mpz", bytes);
    expect(Buffer.from(bytes).equals(golden)).toBe(true);
    const opened = await open(memorySource(new Uint8Array(golden)), { dictionary: file.value });
    expect(opened.ok && (await recordsOf(opened.value))).toEqual(records);
  });

  it("can be put in other words, and holds and leaves out the same", () => {
    const derivations: PackDerivations = { content_hash: ({ text }) => sha256HexSync(text ?? "") };
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 64 }), (records) => {
        const given = records.map((record, index) => ({
          ...record,
          content_hash: index % 2 === 0 ? sha256HexSync(record.text ?? "") : record.content_hash,
          chunks: record.chunks.map((chunk, at) => ({ ...chunk, vector: at % 2 === 0 ? Float32Array.of(1) : null })),
        }));
        const plain = encodeBlock(given, { derivations, head: HEAD });
        const words = wordCodeOf(dictionary);
        const inWords = recodeBlock(plain, PACK_LIMITS, { from: null, to: words });
        expect(inWords).toEqual({ ok: true, value: encodeBlock(given, { derivations, head: HEAD }, words) });
        const back = inWords.ok ? recodeBlock(inWords.value, PACK_LIMITS, { from: words, to: null }) : inWords;
        expect(back).toEqual({ ok: true, value: plain });
      }),
      { numRuns: 60 },
    );
  });

  it("is written in blocks of 64 records, and one record takes two reads", async () => {
    const records = conversation(200);
    const { bytes } = await packOf(records, { dictionary });
    const source = memorySource(bytes);
    const opened = await open(source, { dictionary });
    if (!opened.ok) throw new Error(opened.error.code);
    expect(opened.value.footer.blocks.map(({ recordCount }) => recordCount)).toEqual([64, 64, 64, 8]);
    expect(await opened.value.readRecord(130)).toEqual({ ok: true, value: records[130] });
    expect(source.reads).toHaveLength(2);
    expect(await opened.value.readRecord(200)).toEqual({ ok: true, value: undefined });
  });

  it("finds a record by its id in one more read when it is sorted, and by looking through it otherwise", async () => {
    const sorted = conversation(300).sort((a, b) => (a.document_id < b.document_id ? -1 : 1));
    for (const records of [sorted, sorted.toReversed()]) {
      const source = memorySource((await packOf(records)).bytes);
      const opened = await open(source);
      if (!opened.ok) throw new Error(opened.error.code);
      expect(opened.value.footer.isSorted).toBe(records === sorted);
      for (const wanted of [records[0], records[150], records[299]]) {
        source.reads.length = 0;
        expect(await opened.value.findRecord({ user_id: "ada", document_id: wanted?.document_id ?? "" })).toEqual({
          ok: true,
          value: wanted,
        });
        if (records === sorted) expect(source.reads).toHaveLength(1);
      }
      for (const key of [
        { user_id: "ada", document_id: "talk-2/1" },
        { user_id: "bob", document_id: "talk-1/1" },
        { user_id: "", document_id: "" },
      ])
        expect(await opened.value.findRecord(key)).toEqual({ ok: true, value: undefined });
    }
  });

  it("takes over blocks of another pack as they are, among records that are written anew", async () => {
    const records = conversation(300).sort((a, b) => (a.document_id < b.document_id ? -1 : 1));
    const former = await open(memorySource((await packOf(records, { dictionary })).bytes), { dictionary });
    if (!former.ok) throw new Error(former.error.code);
    const reader = former.value;
    const keeps = (position: number): boolean => position < 100 || position > 180;
    const parts: Uint8Array[] = [];
    const sink = { write: (bytes: Uint8Array) => Promise.resolve(void parts.push(bytes)) };
    const options = { zstd, dictionary, head: HEAD, vectors: null, derivations: {}, limits: PACK_LIMITS, sink };
    const writer = new PackWriter(options);
    for (const [block, entry] of reader.footer.blocks.entries()) {
      const stored = await reader.readStoredBlock(block);
      if (!stored.ok) throw new Error(stored.error.code);
      const own = records.slice(block * 64, block * 64 + entry.recordCount);
      const kept = own.filter((_, index) => keeps(block * 64 + index));
      if (kept.length === own.length) expect((await writer.addBlock(entry, stored.value)).ok).toBe(true);
      else for (const record of kept) expect((await writer.add(record)).ok).toBe(true);
    }
    const summary = await writer.finish();
    const expected = records.filter((_, position) => keeps(position));
    expect(summary).toMatchObject({ ok: true, value: { recordCount: expected.length } });
    const source = memorySource(new Uint8Array(Buffer.concat(parts)));
    const again = await open(source, { dictionary });
    if (!again.ok) throw new Error(again.error.code);
    expect(again.value.footer.isSorted).toBe(true);
    expect(again.value.footer.blocks.map(({ recordCount }) => recordCount)).toEqual([64, 47, 64, 44]);
    expect(await recordsOf(again.value)).toEqual(expected);
    expect(await verifyPack(again.value, source)).toMatchObject({ isSound: true });
    for (const record of [expected[0], expected[100], expected.at(-1)])
      expect(await again.value.findRecord({ user_id: "ada", document_id: record?.document_id ?? "" })).toEqual({
        ok: true,
        value: record,
      });
  });

  it("keeps f32 and f16 vectors exactly and int8 ones to half a step", async () => {
    const fingerprint = "model-a";
    for (const kind of ["f32", "f16", "int8"] as const) {
      const { records, reader } = await reread(conversation(100, 24), {
        vectors: { fingerprint, dimensions: 24, kind },
      });
      expect(reader.footer.vectors).toEqual({ fingerprint, dimensions: 24, kind });
      for (const [index, record] of conversation(100, 24).entries()) {
        const given = record.chunks[0]?.vector ?? new Float32Array();
        const got = records[index]?.chunks[0]?.vector ?? new Float32Array();
        const expected = kind === "f16" ? given.map((value) => new Float16Array([value])[0] ?? 0) : given;
        if (kind === "int8")
          for (const [at, value] of expected.entries())
            expect(Math.abs((got[at] ?? 9) - value)).toBeLessThanOrEqual(0.5 / 127 + 1e-7);
        else expect(got).toEqual(expected);
      }
    }
  });

  it("knows which chunks have no vector", async () => {
    const records = conversation(10, 8).map((record, index) =>
      index % 3 === 0 ? { ...record, chunks: record.chunks.map((chunk) => ({ ...chunk, vector: null })) } : record,
    );
    const again = await reread(records, { vectors: { fingerprint: "model-a", dimensions: 8, kind: "f32" } });
    expect(again.records).toEqual(records);
  });

  it("leaves out what follows from the rest, and gives it back", async () => {
    const derivations: PackDerivations = {
      document_uid: ({ user_id: userId, tier, document_id: documentId }) =>
        documentUid({ tenantId: "acme", userId, tier, documentId }),
      version_key: ({ wal_id, document_index }) => versionKey(wal_id, document_index),
      content_hash: ({ title, text }) => sha256HexSync(`${title}${text}`),
      chunk_hash: (_, { text }) => sha256HexSync(text),
    };
    const records = conversation(64).map((record, index) => ({
      ...record,
      document_uid: derivations.document_uid?.(record, HEAD) ?? null,
      version_key: derivations.version_key?.(record, HEAD) ?? null,
      content_hash: index === 5 ? "ab".repeat(32) : (derivations.content_hash?.(record, HEAD) ?? null),
      chunks: record.chunks.map((chunk) => ({ ...chunk, chunk_hash: sha256HexSync(chunk.text) })),
    }));
    const derived = await reread(records, { derivations });
    expect(derived.records).toEqual(records);
    expect(derived.bytes.length).toBeLessThan((await packOf(records)).bytes.length / 2);
    const plain = await open(memorySource(derived.bytes));
    expect(plain.ok && (await recordsOf(plain.value))[5]).toMatchObject({
      document_uid: null,
      content_hash: "ab".repeat(32),
    });
  });

  it("keeps chunks whose words are not those of the text, and documents without any", async () => {
    const document = { ...RECORD, text: "some words", character_count: 10, title: "t" };
    const chunks = [
      { ...wholeChunk(document, null), text: "other words" },
      {
        ...wholeChunk(document, null),
        chunk_index: 4,
        start_offset: 5,
        end_offset: 10,
        text: "words",
        model: 1,
        user_id: "eve",
      },
    ];
    const withoutText = { ...RECORD, text: null, chunks, chunk_count: 7 };
    expect((await reread([{ ...document, chunks }, withoutText, RECORD])).records).toEqual([
      { ...document, chunks },
      withoutText,
      RECORD,
    ]);
  });

  it("closes a block before its texts grow large, and refuses what no block may hold", async () => {
    const text = "x".repeat(300_000);
    const large = { ...RECORD, text, character_count: text.length };
    const { reader, records } = await reread([large, large, large]);
    expect(reader.footer.blocks).toHaveLength(3);
    expect(records).toEqual([large, large, large]);
    await expect(packOf([large], { limits: { ...PACK_LIMITS, blockBytesMax: 200_000 } })).rejects.toThrow(
      "pack_too_large",
    );
    await expect(packOf(conversation(200), { limits: { ...PACK_LIMITS, blocksMax: 3 } })).rejects.toThrow(
      "pack_too_large",
    );
  });

  it("may be empty", async () => {
    const { reader, records } = await reread([]);
    expect(records).toEqual([]);
    expect(reader.footer.head).toEqual(HEAD);
  });

  it("says which dictionary it needs", async () => {
    const { bytes } = await packOf(conversation(5), { dictionary });
    expect(await open(memorySource(bytes))).toEqual({
      ok: false,
      error: { code: "dictionary_missing", dictionaryId: dictionary.id },
    });
  });

  it("is named by its time, its documents and its hash", () => {
    const key = packKey({
      tenantId: "acme",
      createdAtMs: Date.UTC(2026, 10, 25, 6, 0, 1),
      recordCount: 62,
      sha256: "0123456789abcdef",
    });
    expect(key).toBe("packs/acme/20261125T060001Z-62-01234567.mpz");
    expect(parsePackKey(key)).toEqual({ tenantId: "acme", utc: "20261125T060001Z", recordCount: 62, sha8: "01234567" });
    expect(parsePackKey("packs/acme/x.mpz")).toBeUndefined();
  });
});
