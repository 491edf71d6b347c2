/** From rows as jsonb to the record of a pack, and what a pack gives back. */
import { z } from "zod";
import type { Metadata } from "../../contract/document.ts";
import type { PackChunk, PackRecord } from "../../contract/pack-record.ts";

const hexSchema = z.string().transform((text) => text.replace(/^\\x/, ""));
const timeSchema = z.string().transform(microsecondsOf).nullable();

const documentSchema = z.object({
  document_uid: z.string(),
  document_id: z.string(),
  user_id: z.string(),
  tier: z.string(),
  source: z.string(),
  title: z.string(),
  metadata: z.custom<Metadata>((value) => typeof value === "object" && value !== null),
  content_hash: hexSchema,
  generation: z.int(),
  version_key: z.string(),
  batch_tag: z.string(),
  wal_id: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
  chunk_count: z.int(),
  token_count: z.int(),
  character_count: z.int(),
  series: z.string().nullable(),
  series_position: z.int(),
  occurred_at: timeSchema,
  valid_until: timeSchema,
  deleted_at: timeSchema,
  created_at: timeSchema,
  updated_at: timeSchema,
  pii_version: z.string(),
  duplicate_of: z.string().nullable(),
  duplicate_hash: hexSchema.nullable(),
});

const chunkSchema = z.object({
  chunk_index: z.int(),
  generation: z.int(),
  user_id: z.string(),
  tier: z.string(),
  source: z.string(),
  batch_tag: z.string(),
  chunk_hash: hexSchema,
  text: z.string(),
  start_offset: z.int(),
  end_offset: z.int(),
  token_count: z.int(),
  lexeme_count: z.int(),
  text_hash: z.int().nullable(),
  artifact_id: z.string().nullable(),
  occurred_at: timeSchema,
  valid_until: timeSchema,
  created_at: timeSchema,
  pii_version: z.string(),
});

/** Microseconds since 1970 of a time as jsonb writes it: Date knows milliseconds only. */
export function microsecondsOf(time: string): number {
  const fraction = /\.(\d{1,6})/.exec(time)?.[1] ?? "";
  return Date.parse(time) * 1_000 + Number(fraction.padEnd(6, "0").slice(3));
}

/** A row of `doc_embeddings` without its vector, and its vector. */
export interface VectorRow {
  readonly row: Readonly<Record<string, unknown>>;
  readonly vector: Float32Array;
}

/** The record of a document with its chunks under one model, which is the pack's only one. */
export function packRecordOf(document: Readonly<Record<string, unknown>>, chunks: readonly VectorRow[]): PackRecord {
  const { occurred_at, valid_until, deleted_at, created_at, updated_at, ...rest } = documentSchema.parse(document);
  return {
    ...rest,
    text: null,
    model: 0,
    occurred_at_us: occurred_at,
    valid_until_us: valid_until,
    deleted_at_us: deleted_at,
    created_at_us: created_at,
    updated_at_us: updated_at,
    context: null,
    admission: null,
    chunks: chunks.map(packChunkOf),
  };
}

function packChunkOf({ row, vector }: VectorRow): PackChunk {
  const { occurred_at, valid_until, created_at, ...rest } = chunkSchema.parse(row);
  return {
    ...rest,
    model: 0,
    occurred_at_us: occurred_at,
    valid_until_us: valid_until,
    created_at_us: created_at,
    vector,
  };
}
