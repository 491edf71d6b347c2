import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PackError } from "../../../src/reader/read-columns.ts";
import { type PackedRecord, readPack, type ReadPackOptions } from "../../../src/reader/read-pack.ts";
import { conversation, HEAD } from "../../support/pack-records.ts";
import { anyRecord, dictionaryOf, packOf } from "./records.ts";

const dictionary = await dictionaryOf(conversation(2_000));

async function allOf(bytes: Uint8Array, options?: ReadPackOptions): Promise<PackedRecord[]> {
  const pack = await readPack(bytes, options);
  const records: PackedRecord[] = [];
  for await (const record of pack.records()) records.push(record);
  return records;
}

describe("the stand-alone reader", () => {
  it("reads the file of the format's first version", async () => {
    const file = readFileSync(new URL("fixtures/conversation.mpz", import.meta.url));
    const pack = await readPack(file);
    expect(pack).toMatchObject({
      dictionaryId: null,
      recordCount: 70,
      head: HEAD,
      vectors: { kind: "f16", dimensions: 6 },
    });
    const records = await allOf(file);
    const given = conversation(70, 6);
    expect(records.map(({ text }) => text)).toEqual(given.map(({ text }) => text));
    expect(records.map(({ document_id }) => document_id)).toEqual(given.map(({ document_id }) => document_id));
    expect(records.map(({ metadata }) => metadata)).toEqual(given.map(({ metadata }) => metadata));
    expect(records.map(({ occurred_at_us: time }) => time)).toEqual(given.map(({ occurred_at_us: time }) => time));
    const half = (value: number) => new Float16Array([value])[0] ?? 0;
    for (const [index, record] of records.entries())
      expect(record.chunks[0]?.vector).toEqual(given[index]?.chunks[0]?.vector?.map(half));
  });

  it("reads the file that was written with a dictionary", async () => {
    const file = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
    const fixed = file("dictionary.bin");
    const records = await allOf(file("with-dictionary.mpz"), {
      dictionary: fixed,
      decompress: (frame) => new Uint8Array(zstdDecompressSync(frame, { dictionary: fixed })),
    });
    expect(records.map(({ text }) => text)).toEqual(conversation(70).map(({ text }) => text));
    expect(records[69]).toMatchObject({ content_hash: createHash("sha256").update("69").digest("hex") });
  });

  it("reads any records as they were written", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { maxLength: 90 }), async (records) => {
        const read = await allOf((await packOf(records)).bytes);
        expect(read).toHaveLength(records.length);
        for (const [index, record] of records.entries()) {
          const { metadata, chunks, ...fields } = read[index] ?? { metadata: {}, chunks: [] };
          expect(metadata).toEqual(record.metadata);
          expect(chunks).toHaveLength(record.chunks.length);
          expect(record).toMatchObject(fields);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("reads int8 and f32 vectors", async () => {
    for (const kind of ["f32", "int8"] as const) {
      const given = conversation(65, 5);
      const { bytes } = await packOf(given, { vectors: { fingerprint: "m", dimensions: 5, kind } });
      for (const [index, record] of (await allOf(bytes)).entries())
        for (const [at, value] of (record.chunks[0]?.vector ?? []).entries())
          expect(Math.abs(value - (given[index]?.chunks[0]?.vector?.[at] ?? 9))).toBeLessThan(
            kind === "f32" ? 1e-9 : 0.004,
          );
    }
  });

  it("asks for a zstd that knows the dictionary, and reads with one", async () => {
    const { bytes } = await packOf(conversation(100), { dictionary });
    await expect(allOf(bytes)).rejects.toThrow(PackError);
    const decompress = (frame: Uint8Array, id: string, maxOutputLength: number) => {
      expect(id).toBe(dictionary.id);
      return new Uint8Array(zstdDecompressSync(frame, { dictionary: dictionary.bytes, maxOutputLength }));
    };
    const read = await allOf(bytes, { decompress, dictionary: dictionary.bytes });
    expect(read.map(({ text }) => text)).toEqual(conversation(100).map(({ text }) => text));
  });
});
