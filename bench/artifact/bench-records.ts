import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { PackRecord } from "../../src/lib/contract/pack-record.ts";
import { readAddresses } from "../../src/cli/demo/corpus.ts";
import { recordsOf } from "../cpu-lane/records.ts";
import { readBenchTexts } from "../support/read-texts.ts";

/** A record as one JSON line of the opponent's file has it: what both sides store. */
export const benchRecordSchema = z.strictObject({
  id: z.string(),
  user_id: z.string(),
  session: z.string(),
  role: z.string(),
  time: z.int().describe("milliseconds"),
  text: z.string(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type BenchRecord = z.infer<typeof benchRecordSchema>;

/** Records of a JSONL file. */
export async function readRecords(path: string): Promise<BenchRecord[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => benchRecordSchema.parse(JSON.parse(line)));
}

/** Paragraphs of the demo's addresses: every other address since 1961 to train on, then those before, newest first; the rest to measure. */
export async function demoRecords(): Promise<{ readonly training: BenchRecord[]; readonly measured: BenchRecord[] }> {
  const texts = await readBenchTexts(undefined, 62);
  const recent = new Set(texts.map(({ id }) => id));
  const earlier = (await readAddresses(true)).filter(({ id }) => !recent.has(id)).toReversed();
  const trainingTexts = [...texts.filter((_, index) => index % 2 === 0), ...earlier];
  const [training, measured] = [trainingTexts, texts.filter((_, index) => index % 2 === 1)].map((part) =>
    recordsOf(part).map(({ id, source, position, text }) => ({
      id: createHash("sha256").update(id).digest("hex").slice(0, 20),
      user_id: "",
      session: source,
      role: "user",
      time: 1_790_000_000_000 + position * 30_000,
      text,
      metadata: { position },
    })),
  );
  return { training: training ?? [], measured: measured ?? [] };
}

/** The same record as a pack holds it. */
export function packRecordOf(record: BenchRecord, vector: Float32Array | null): PackRecord {
  const { id, user_id, session, role, time, text, metadata } = record;
  const times = { occurred_at_us: time * 1_000, valid_until_us: null, created_at_us: null };
  const shared = {
    ...times,
    model: 0,
    generation: 1,
    user_id,
    tier: "event",
    source: "bench",
    batch_tag: "",
    pii_version: "",
  };
  const chunk = {
    ...shared,
    chunk_index: 0,
    chunk_hash: null,
    text,
    start_offset: 0,
    end_offset: text.length,
    token_count: 0,
    lexeme_count: 0,
    text_hash: null,
    artifact_id: null,
  };
  return {
    ...shared,
    document_id: id,
    title: "",
    metadata: { ...metadata, session, role },
    text,
    document_uid: null,
    content_hash: null,
    version_key: null,
    wal_id: "",
    wal_key: null,
    document_index: 0,
    token_count: 0,
    character_count: text.length,
    series: null,
    deleted_at_us: null,
    updated_at_us: null,
    duplicate_of: null,
    duplicate_hash: null,
    series_position: 0,
    context: null,
    admission: null,
    chunk_count: vector === null ? 0 : 1,
    chunks: vector === null ? [] : [{ ...chunk, vector }],
  };
}

/** Unit vectors that depend on nothing but their place. */
export function syntheticVectors(count: number, dimensions: number): Float32Array[] {
  let seed = 7;
  const uniform = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Array.from({ length: count }, () => {
    const vector = Float32Array.from({ length: dimensions }, normal);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
}
