/** Arbitrary records, and packs of any in memory. */
import fc from "fast-check";
import type { PackChunk, PackRecord } from "../../../src/lib/contract/pack-record.ts";
import { openPack, type PackReader, type PackSource } from "../../../src/lib/artifact/pack-reader.ts";
import { PACK_LIMITS } from "../../../src/lib/artifact/pack-limits.ts";
import { PackWriter, type PackSummary, type PackWriterOptions } from "../../../src/lib/artifact/pack-writer.ts";
import { encodeBlock } from "../../../src/lib/artifact/encode-block.ts";
import { trainWithWords } from "../../../src/lib/flows/dictionaries/train-with-words.ts";
import { provedZstd } from "../../../src/lib/zstd/proved-zstd.ts";
import { trainDictionary } from "../../../src/lib/zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../../src/lib/zstd/zstd-dictionary.ts";
import { HEAD } from "../../support/pack-records.ts";
import { zstdModule } from "../../support/zstd-module.ts";

export const zstd = provedZstd(zstdModule());

/** A dictionary with words, of 4 KB, trained on records as the job trains one. */
export async function dictionaryOf(records: readonly PackRecord[]): Promise<ZstdDictionary> {
  const blocks = Array.from({ length: Math.ceil(records.length / 16) }, (_, index) =>
    encodeBlock(records.slice(index * 16, (index + 1) * 16), { derivations: {}, head: HEAD }),
  );
  const trained = await trainWithWords(
    blocks,
    (samples, options) => Promise.resolve(trainDictionary(zstdModule(), samples, options)),
    { level: 19, bytesMax: 4_096 },
  );
  if (!trained.ok) throw new Error(trained.error.code);
  return trained.value;
}

const word = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => text.isWellFormed());
const key = fc.oneof(
  word,
  fc.uuid(),
  fc.ulid(),
  fc.nat(99).map((n) => `talk/${n}`),
  fc.stringMatching(/^[0-9a-f]{20}$/),
  fc.constantFrom("", "a", "b"),
);
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.nat(300),
  fc.nat(300).map((n) => n * 60_000_000),
);
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const scalar = fc.oneof(
  key,
  integer,
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
);
const metadata = fc.dictionary(
  fc.oneof(word, fc.constantFrom("role", "seq", "__proto__")).filter((name) => name !== ""),
  fc.oneof(scalar, fc.constant(null), fc.array(scalar, { maxLength: 3 })),
  { maxKeys: 4, noNullPrototype: true },
);

const chunk: fc.Arbitrary<PackChunk> = fc.record({
  chunk_index: fc.nat(5),
  model: fc.nat(3),
  generation: integer,
  user_id: key,
  tier: key,
  source: key,
  batch_tag: key,
  chunk_hash: nullable(fc.stringMatching(/^[0-9a-f]{64}$/)),
  text: word,
  start_offset: fc.nat(50),
  end_offset: fc.nat(50),
  token_count: integer,
  lexeme_count: fc.nat(9),
  text_hash: nullable(integer),
  artifact_id: nullable(key),
  occurred_at_us: nullable(integer),
  valid_until_us: nullable(integer),
  created_at_us: nullable(integer),
  pii_version: key,
  vector: fc.constant(null),
});

/** Any record that a writer takes, most of them unlike any real one. */
export const anyRecord: fc.Arbitrary<PackRecord> = fc.record({
  document_id: key,
  user_id: key,
  tier: key,
  source: key,
  title: word,
  metadata,
  text: nullable(word),
  document_uid: nullable(fc.uuid()),
  content_hash: nullable(fc.stringMatching(/^[0-9a-f]{64}$/)),
  model: fc.nat(3),
  generation: integer,
  version_key: nullable(key),
  batch_tag: key,
  wal_id: key,
  wal_key: nullable(key),
  document_index: fc.nat(999),
  chunk_count: fc.nat(9),
  token_count: integer,
  character_count: fc.nat(99),
  series: nullable(key),
  occurred_at_us: nullable(integer),
  valid_until_us: nullable(integer),
  deleted_at_us: nullable(integer),
  created_at_us: nullable(integer),
  updated_at_us: nullable(integer),
  pii_version: key,
  duplicate_of: nullable(fc.uuid()),
  duplicate_hash: nullable(key),
  series_position: fc.nat(9),
  context: nullable(word),
  admission: nullable(word),
  chunks: fc.array(chunk, { maxLength: 3 }),
});

type Settings = Partial<Pick<PackWriterOptions, "dictionary" | "vectors" | "derivations" | "limits">>;

/** A pack in memory. */
export async function packOf(
  records: readonly PackRecord[],
  settings: Settings = {},
): Promise<{ bytes: Uint8Array; summary: PackSummary; writes: number }> {
  const parts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array) => Promise.resolve(void parts.push(bytes)) };
  const options = { dictionary: null, vectors: null, derivations: {}, limits: PACK_LIMITS, ...settings };
  const writer = new PackWriter({ zstd, head: HEAD, sink, ...options });
  for (const record of records) {
    const added = await writer.add(record);
    if (!added.ok) throw new Error(added.error.code);
  }
  const summary = await writer.finish();
  if (!summary.ok) throw new Error(summary.error.code);
  return { bytes: new Uint8Array(Buffer.concat(parts)), summary: summary.value, writes: parts.length };
}

/** A source that counts its reads. */
export function memorySource(bytes: Uint8Array): PackSource & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    sizeBytes: bytes.length,
    reads,
    read({ offset, length }) {
      reads.push(length);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}

export function open(source: PackSource, settings: Settings = {}): ReturnType<typeof openPack> {
  const { dictionary } = settings;
  return openPack(source, {
    zstd,
    dictionaryOf: (id) => Promise.resolve(dictionary?.id === id ? dictionary : undefined),
    derivations: settings.derivations ?? {},
    limits: settings.limits ?? PACK_LIMITS,
  });
}

/** Every record of an opened pack, or the first error. */
export async function recordsOf(reader: PackReader): Promise<PackRecord[]> {
  const records: PackRecord[] = [];
  for (const block of reader.footer.blocks.keys()) {
    const read = await reader.readBlock(block);
    if (!read.ok) throw new Error(read.error.code);
    records.push(...read.value);
  }
  return records;
}
