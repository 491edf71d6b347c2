/**
 * Size of packs against solid `gzip -9` of the same records as JSON lines, and records/s of both in workerd.
 * `node bench/artifact/main.ts [--measure RECORDS.jsonl --train OTHER.jsonl] [--rounds N] [--report FILE]`
 * A line is {id, user_id, session, role, time, text, metadata}. Without paths: every other address of the demo, trained on the rest and on those before 1961.
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { parseArgs } from "node:util";
import { encodeBlock } from "../../src/lib/artifact/encode-block.ts";
import type { EncodedBlock } from "../../src/lib/artifact/encoded-block.ts";
import { PACK_LIMITS } from "../../src/lib/artifact/pack-limits.ts";
import { PackWriter, type PackWriterOptions } from "../../src/lib/artifact/pack-writer.ts";
import { provedZstd } from "../../src/lib/zstd/proved-zstd.ts";
import { trainDictionary } from "../../src/lib/zstd/train-dictionary.ts";
import { capacityFor } from "../../src/lib/flows/dictionaries/train-tenant.ts";
import { trainWithWords } from "../../src/lib/flows/dictionaries/train-with-words.ts";
import { finishBench } from "../support/bench-arguments.ts";
import type { Figure } from "../support/figure.ts";
import { blocksOf } from "../cpu-lane/records.ts";
import { type BenchRecord, demoRecords, packRecordOf, readRecords, syntheticVectors } from "./bench-records.ts";
import { measureCodecs } from "./codec-rates.ts";

/** Records of one training sample: a quarter of a block, so that there are enough of them. */
const SAMPLE_RECORDS = 16;
/** Bytes of samples that a dictionary is trained on: as many as the job takes (src/lib/flows/dictionaries), without what it holds out. */
const TRAINING_BYTES_MAX = (3 / 4) * 3 * 1024 * 1024;
const VECTOR_RECORDS = 1_500;
const DIMENSIONS = 384;
const LEVEL = 19;

const { values } = parseArgs({
  options: {
    measure: { type: "string" },
    train: { type: "string" },
    rounds: { type: "string" },
    report: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? 5);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
  throw new Error("--rounds takes a whole number from 1 to 100");
const { training, measured } =
  values.measure === undefined || values.train === undefined
    ? await demoRecords()
    : { training: await readRecords(values.train), measured: await readRecords(values.measure) };

const HEAD = { tenant_id: "bench", created_at_ms: 0, models: [], versions: {} };
const module = new WebAssembly.Module(readFileSync(new URL("../../src/lib/zstd/zstd.wasm", import.meta.url)));
const zstd = provedZstd(module);
const samples = trainingSamples();
const startedMs = performance.now();
const trained = await trainWithWords(
  samples,
  (content, options) => Promise.resolve(trainDictionary(module, content, options)),
  { level: LEVEL, bytesMax: capacityFor(samples) },
);
if (!trained.ok) throw new Error(`no dictionary: ${trained.error.code}`);
const trainingSeconds = (performance.now() - startedMs) / 1000;
const dictionary = trained.value;
const records = measured.map((record) => packRecordOf(record, null));
const withVectors = measured.slice(0, VECTOR_RECORDS);
const vectors = syntheticVectors(withVectors.length, DIMENSIONS);

/** The first records of those to train on, as many as the job would take. */
function trainingSamples(): EncodedBlock[] {
  const taken: EncodedBlock[] = [];
  let bytes = 0;
  for (const block of blocksOf(training, SAMPLE_RECORDS)) {
    const packed = block.map((record) => packRecordOf(record, null));
    const sample = encodeBlock(packed, { derivations: {}, head: HEAD });
    bytes += sample.content.length + sample.tail.length;
    if (bytes > TRAINING_BYTES_MAX) break;
    taken.push(sample);
  }
  return taken;
}

async function packBytes(
  settings: Pick<PackWriterOptions, "dictionary" | "vectors">,
  packed = records,
): Promise<number> {
  const sink = { write: () => Promise.resolve() };
  const writer = new PackWriter({ zstd, head: HEAD, derivations: {}, limits: PACK_LIMITS, sink, ...settings });
  for (const record of packed) await writer.add(record);
  const summary = await writer.finish();
  if (!summary.ok) throw new Error(summary.error.code);
  return summary.value.sizeBytes;
}

function gzipBytes(lines: readonly unknown[]): number {
  return gzipSync(lines.map((line) => JSON.stringify(line)).join("\n"), { level: 9 }).length;
}

function sizeFigure(name: string, ours: number, base: number, bounds: Pick<Figure, "target" | "aim"> = {}): Figure {
  const opponent = { name: "gzip -9, solid", samples: [base] };
  return { name, unit: "bytes", ours: { name: "pack", samples: [ours] }, opponent, isCost: true, ...bounds };
}

async function vectorFigure(kind: "f32" | "f16" | "int8", base: number): Promise<Figure> {
  const packed = withVectors.map((record: BenchRecord, index) => packRecordOf(record, vectors[index] ?? null));
  const size = await packBytes({ dictionary, vectors: { fingerprint: "bench", dimensions: DIMENSIONS, kind } }, packed);
  return sizeFigure(`size with ${kind} vectors`, size, base, kind === "f16" ? { target: 0.4 } : {});
}

const base = gzipBytes(measured);
/** The shortest decimals that read back as the same f32: what a JSON file of the embedder's vectors holds without loss. */
function shortest(value: number): number {
  const digits = [6, 7, 8].find((count) => Math.fround(Number(value.toPrecision(count))) === value) ?? 9;
  return Number(value.toPrecision(digits));
}

function vectorLines(print: (value: number) => number): unknown[] {
  return withVectors.map((record, index) => ({ ...record, vector: Array.from(vectors[index] ?? [], print) }));
}

const vectorBase = gzipBytes(vectorLines(shortest));
const fiveDigitBase = gzipBytes(vectorLines((value) => Number(value.toPrecision(5))));
const { recordsPerSecond, memoryBytes } = await measureCodecs(records, dictionary, rounds);
const rateFigure = (what: "encode" | "decode"): Figure => ({
  name: `${what} in workerd`,
  unit: "records/s",
  ours: { name: "pack", samples: recordsPerSecond[`${what}-pack`] },
  opponent: { name: "JSON", samples: recordsPerSecond[`${what}-json`] },
});
finishBench(
  {
    bench: "artifact",
    figures: [
      sizeFigure("size, dictionary of other records", await packBytes({ dictionary, vectors: null }), base, {
        target: 0.78,
        aim: 0.68,
      }),
      sizeFigure("size, no dictionary", await packBytes({ dictionary: null, vectors: null }), base),
      await vectorFigure("f32", vectorBase),
      await vectorFigure("f16", vectorBase),
      await vectorFigure("int8", vectorBase),
      rateFigure("encode"),
      rateFigure("decode"),
    ],
    skipped: [],
    details: [
      `with the vectors' digits cut to five, which the store keeps, gzip -9 needs ${fiveDigitBase} bytes`,
      `${measured.length} records measured, ${samples.length * SAMPLE_RECORDS} others trained a dictionary of ${dictionary.bytes.length} bytes in ${trainingSeconds.toFixed(1)} s`,
      `vectors: ${withVectors.length} of ${DIMENSIONS} dimensions, synthetic; memory of the zstd module ${(memoryBytes / 1e6).toFixed(1)} MB`,
      "one record of a pack is read by two ranged reads; of the gzip only by unpacking what is before it",
    ],
  },
  { reportFile: values.report },
);
