/**
 * What a dictionary gains and costs by how many records it is trained on. `node bench/artifact/training-sizes.ts`
 * Paragraphs of the demo's addresses: every other address trains, 1,024 records of the rest are measured.
 */
import { readFileSync } from "node:fs";
import { wordCodeOf } from "../../src/lib/artifact/dictionary-words.ts";
import { encodeBlock } from "../../src/lib/artifact/encode-block.ts";
import type { EncodedBlock } from "../../src/lib/artifact/encoded-block.ts";
import { capacityFor } from "../../src/lib/flows/dictionaries/train-tenant.ts";
import { inWords, trainWithWords } from "../../src/lib/flows/dictionaries/train-with-words.ts";
import { provedZstd } from "../../src/lib/zstd/proved-zstd.ts";
import { trainDictionary } from "../../src/lib/zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../src/lib/zstd/zstd-dictionary.ts";
import { blocksOf } from "../cpu-lane/records.ts";
import { type BenchRecord, demoRecords, packRecordOf } from "./bench-records.ts";

const LEVEL = 19;
const HEAD = { tenant_id: "bench", created_at_ms: 0, models: [], versions: {} };
const MICROSECONDS = 1e6;

const module = new WebAssembly.Module(readFileSync(new URL("../../src/lib/zstd/zstd.wasm", import.meta.url)));
const zstd = provedZstd(module);
const encoded = (records: readonly BenchRecord[], size: number): EncodedBlock[] =>
  blocksOf(records, size).map((block) =>
    encodeBlock(
      block.map((record) => packRecordOf(record, null)),
      { derivations: {}, head: HEAD },
    ),
  );
const { training, measured } = await demoRecords();
const heldOut = encoded(measured.slice(0, 1_024), 64);
const bytesWith = (dictionary?: ZstdDictionary): number =>
  inWords(heldOut, wordCodeOf(dictionary)).reduce(
    (sum, { content, tail }) => sum + zstd.compress(content, { level: LEVEL, dictionary }).length + tail.length,
    0,
  );
const plain = bytesWith();
console.log(`without a dictionary: ${plain} bytes`);
for (const count of [250, 500, 1_000, 2_000]) {
  const samples = encoded(training.slice(0, count), 16);
  const before = process.cpuUsage();
  const trained = await trainWithWords(
    samples,
    (content, options) => Promise.resolve(trainDictionary(module, content, options)),
    { level: LEVEL, bytesMax: capacityFor(samples) },
  );
  const seconds = process.cpuUsage(before).user / MICROSECONDS;
  if (!trained.ok) throw new Error(trained.error.code);
  const bytes = bytesWith(trained.value);
  const sampleBytes = samples.reduce((sum, { content, tail }) => sum + content.length + tail.length, 0);
  const saved = ((1 - bytes / plain) * 100).toFixed(1);
  console.log(
    `${count} records, ${sampleBytes} bytes: ${seconds.toFixed(1)} s of CPU, dictionary ${trained.value.bytes.length}, ${bytes} bytes, ${saved} % saved`,
  );
}
