import { describe, expect, it } from "vitest";
import { openPack } from "../../src/lib/artifact/pack-reader.ts";
import { PACK_LIMITS } from "../../src/lib/artifact/pack-limits.ts";
import { PackWriter } from "../../src/lib/artifact/pack-writer.ts";
import { R2MultipartSink } from "../../src/lib/artifact/r2-multipart-sink.ts";
import { r2Source } from "../../src/lib/artifact/r2-source.ts";
import { provedZstd } from "../../src/lib/zstd/proved-zstd.ts";
import { trainDictionary } from "../../src/lib/zstd/train-dictionary.ts";
import zstdModule from "../../src/lib/zstd/zstd.wasm";
import { readPack } from "../../src/reader/read-pack.ts";
import { conversation, HEAD } from "../support/pack-records.ts";
import { suiteEnv } from "./support/worker.ts";

const bucket = suiteEnv().BUCKET;
const zstd = provedZstd(zstdModule);
const samples = conversation(1_500).map((record) => new TextEncoder().encode(record.text ?? ""));
const trained = trainDictionary(zstdModule, samples, { level: 19, bytesMax: 4_096 });
if (!trained.ok) throw new Error(trained.error.code);
const dictionary = trained.value;

describe("a pack inside workerd", () => {
  it("is written to R2 in parts and read by record, with a dictionary", async () => {
    const key = "packs/acme/test.mpz";
    let seed = 1;
    const noise = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const records = conversation(300, 1_024).map((record) => ({
      ...record,
      chunks: record.chunks.map((chunk) => ({ ...chunk, vector: Float32Array.from({ length: 1_024 }, noise) })),
    }));
    const upload = await bucket.createMultipartUpload(key);
    const sink = new R2MultipartSink(upload);
    const vectors = { fingerprint: "model-a", dimensions: 1_024, kind: "f32" } as const;
    const options = { zstd, dictionary, head: HEAD, vectors, derivations: {}, limits: PACK_LIMITS, sink };
    const writer = new PackWriter(options);
    // Vectors of noise do not compress, so this is more than one part.
    for (let round = 0; round < 12; round++)
      for (const record of records)
        expect((await writer.add({ ...record, document_id: `${round}/${record.document_id}` })).ok).toBe(true);
    const summary = await writer.finish();
    if (!summary.ok) throw new Error(summary.error.code);
    await sink.complete();
    const object = await bucket.head(key);
    expect(object?.size).toBe(summary.value.sizeBytes);
    expect(summary.value.sizeBytes).toBeGreaterThan(10_000_000);

    const opened = await openPack(r2Source(bucket, { key, sizeBytes: summary.value.sizeBytes }), {
      zstd,
      dictionaryOf: (id) => Promise.resolve(id === dictionary.id ? dictionary : undefined),
      derivations: {},
      limits: PACK_LIMITS,
    });
    if (!opened.ok) throw new Error(opened.error.code);
    const last = records.at(-1);
    expect(await opened.value.readRecord(3_599)).toEqual({
      ok: true,
      value: { ...last, document_id: `11/${last?.document_id ?? ""}` },
    });
    expect(zstd.memoryBytes).toBeLessThan(24_000_000);
  });

  it("has the bytes that Node gives it", async () => {
    const parts: Uint8Array[] = [];
    const sink = { write: (bytes: Uint8Array) => Promise.resolve(void parts.push(bytes)) };
    const vectors = { fingerprint: "model-a", dimensions: 6, kind: "f16" } as const;
    const writer = new PackWriter({
      zstd,
      dictionary: null,
      head: HEAD,
      vectors,
      derivations: {},
      limits: PACK_LIMITS,
      sink,
    });
    for (const record of conversation(70, 6)) await writer.add(record);
    const summary = await writer.finish();
    // SHA-256 of test/unit/artifact/fixtures/conversation.mpz.
    expect(summary.ok && summary.value.sha256).toBe("2e41625af377c4f133e7e2c6fdc42aa5699d77a7d64e37e3a6296f63f2d0c2d4");
    const pack = await readPack(new Uint8Array(await new Blob(parts).arrayBuffer()));
    expect(pack.recordCount).toBe(70);
  });
});
