// What the processor's share of the work costs on one core: packing, hashing, cutting. No opponent: docs/cpu-gpu.md sets the figures
// beside those of embedding.
//   node bench/cpu-lane/main.ts [--texts FOLDER_OR_JSONL] [--documents 62] [--rounds 5] [--report FILE]
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decode, encode } from "@msgpack/msgpack";
import { sha256Sync } from "../../src/lib/base/hash.ts";
import { chunkText } from "../../src/lib/chunk/chunk-text.ts";
import { chunkOptionsFor } from "../../src/lib/chunk/chunk.ts";
import { measureText } from "../../src/lib/gate/measure-text.ts";
import { loadTokenCounter } from "../../src/lib/model/load-token-counter.ts";
import type { Figure } from "../support/figure.ts";
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import { HOME_FOLDER } from "../support/home-folder.ts";
import { readBenchTexts, type BenchText } from "../support/read-texts.ts";
import { measureRate } from "./measure-rate.ts";
import { blocksOf, recordsOf, type CpuRecord } from "./records.ts";
import { trainDictionary } from "./train-dictionary.ts";

/** Records of one compressed block, as an artifact packs them. */
const BLOCK_RECORDS = 64;
/** Tokens of one text of the default model. */
const MODEL_TOKENS_MAX = 256;
const ZSTD_LEVELS = [1, 3, 9, 19];
const BYTES_OF_MB = 1e6;

const args = readBenchArguments({ rounds: 5, documents: 62 });
const texts = await readBenchTexts(args.textsPath, args.documentsMax);
const records = recordsOf(texts);
const blocks = blocksOf(records, BLOCK_RECORDS);
const packed = blocks.map((block) => Buffer.from(encode(block)));
const packedBytes = sumOf(packed);
const figures: Figure[] = [];
const skipped: string[] = [];
const details = [
  `${texts.length} texts, ${records.length} records, ${(packedBytes / BYTES_OF_MB).toFixed(1)} MB as msgpack in blocks of ${BLOCK_RECORDS}; rates are those of one processor second`,
];

measurePacking();
measureCompression();
measureAudit(texts);
measureCutting(texts);
await measureDictionary(records);
finishBench({ bench: "cpu-lane", figures, skipped, details }, args);

function sumOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
}

function add(name: string, unit: string, unitsOfOne: number, work: () => unknown): void {
  figures.push({ name, unit, ours: { name: "one core", samples: measureRate(args.rounds, unitsOfOne, work) } });
}

function measurePacking(): void {
  add("msgpack encode", "records/s", records.length, () => blocks.map((block) => encode(block)));
  add("msgpack decode", "records/s", records.length, () => packed.map((block) => decode(block)));
  add("SHA-256", "MB/s", packedBytes / BYTES_OF_MB, () => packed.map((block) => sha256Sync(block)));
  add("pack: msgpack, zstd 3, SHA-256", "records/s", records.length, () =>
    blocks.map((block) => sha256Sync(zstdCompressSync(Buffer.from(encode(block))))),
  );
}

function measureCompression(): void {
  const megabytes = packedBytes / BYTES_OF_MB;
  for (const level of ZSTD_LEVELS) {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    const compressed = packed.map((block) => zstdCompressSync(block, { params }));
    add(`zstd ${level} compress`, "MB/s", megabytes, () => packed.map((block) => zstdCompressSync(block, { params })));
    details.push(`zstd ${level}: ratio ${(packedBytes / sumOf(compressed)).toFixed(2)}`);
    if (level === 3)
      add("zstd 3 decompress", "MB/s", megabytes, () => compressed.map((block) => zstdDecompressSync(block)));
  }
  const zipped = packed.map((block) => gzipSync(block));
  add("gzip 6 compress", "MB/s", megabytes, () => packed.map((block) => gzipSync(block)));
  add("gzip 6 decompress", "MB/s", megabytes, () => zipped.map((block) => gunzipSync(block)));
  details.push(`gzip 6: ratio ${(packedBytes / sumOf(zipped)).toFixed(2)}`);
}

/** The statistics of a text that gate and audits work on. */
function measureAudit(sources: readonly BenchText[]): void {
  const megabytes = sumOf(sources.map(({ text }) => Buffer.from(text))) / BYTES_OF_MB;
  add("statistics of a text", "MB/s", megabytes, () => sources.map(({ text }) => measureText(text)));
}

function measureCutting(sources: readonly BenchText[]): void {
  const path = join(HOME_FOLDER, "models", "all-MiniLM-L6-v2", "tokenizer.json");
  if (!existsSync(path)) {
    skipped.push("chunking and tokens: no tokenizer.json yet (npm run model in gpu-embedder)");
    return;
  }
  const counter = loadTokenCounter(new Uint8Array(readFileSync(path)));
  if (!counter.ok) throw new Error(counter.error.code);
  const { value } = counter;
  const options = chunkOptionsFor(MODEL_TOKENS_MAX);
  const megabytes = sumOf(sources.map(({ text }) => Buffer.from(text))) / BYTES_OF_MB;
  const tokens = sources.reduce((sum, { text }) => sum + value.count(text), 0);
  const chunks = sources.reduce((sum, { text }) => sum + chunkText(text, value, options).length, 0);
  add("counting tokens", "MB/s", megabytes, () => sources.map(({ text }) => value.count(text)));
  add("cutting into chunks, tokens counted", "MB/s", megabytes, () =>
    sources.map(({ text }) => chunkText(text, value, options)),
  );
  const perMegabyte = Math.round(tokens / megabytes).toLocaleString("en");
  details.push(`${chunks} chunks, ${tokens.toLocaleString("en")} tokens, ${perMegabyte} tokens a MB of text`);
}

/** Trained on every other record, tried on the rest, each record compressed alone. */
async function measureDictionary(all: readonly CpuRecord[]): Promise<void> {
  const encoded = all.map((record) => Buffer.from(encode(record)));
  const training = encoded.filter((_, index) => index % 2 === 0);
  const held = encoded.filter((_, index) => index % 2 === 1);
  const trained = await trainDictionary(training);
  if (!trained.ok) {
    skipped.push(trained.error);
    return;
  }
  const { dictionary, tookMs } = trained.value;
  const samples = [sumOf(training) / BYTES_OF_MB / (tookMs / 1000)];
  figures.push({ name: "dictionary training (zstd command)", unit: "MB/s", ours: { name: "zstd", samples } });
  const ratio = (options: { dictionary?: Uint8Array }): string =>
    (sumOf(held) / sumOf(held.map((record) => zstdCompressSync(record, options)))).toFixed(2);
  add("zstd 3 with dictionary, record by record", "records/s", held.length, () =>
    held.map((record) => zstdCompressSync(record, { dictionary })),
  );
  details.push(
    `record by record, held out: ratio ${ratio({})} without, ${ratio({ dictionary })} with the dictionary of ${dictionary.byteLength} bytes, trained in ${(tookMs / 1000).toFixed(1)} s`,
  );
}
