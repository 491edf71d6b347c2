/** A conversation as records of a pack, the same in both runtimes. */
import type { PackChunk, PackRecord } from "../../src/lib/contract/pack-record.ts";
import type { PackHead } from "../../src/lib/artifact/pack-footer.ts";

export const HEAD: PackHead = {
  tenant_id: "acme",
  created_at_ms: 1_760_000_000_000,
  models: ["model-a", "model-b"],
  versions: { chunker: "3", lexical: "2" },
};

export const RECORD: PackRecord = {
  document_id: "a",
  user_id: "",
  tier: "doc",
  source: "",
  title: "",
  metadata: {},
  text: "",
  document_uid: null,
  content_hash: null,
  model: 0,
  generation: 1,
  version_key: null,
  batch_tag: "",
  wal_id: "",
  wal_key: null,
  document_index: 0,
  chunk_count: 0,
  token_count: 0,
  character_count: 0,
  series: null,
  occurred_at_us: null,
  valid_until_us: null,
  deleted_at_us: null,
  created_at_us: null,
  updated_at_us: null,
  pii_version: "",
  duplicate_of: null,
  duplicate_hash: null,
  series_position: 0,
  context: null,
  admission: null,
  chunks: [],
};

/** The chunk that is all of its document. */
export function wholeChunk(document: PackRecord, vector: Float32Array | null): PackChunk {
  const { model, generation, user_id, tier, source, batch_tag, occurred_at_us, valid_until_us, pii_version } = document;
  return {
    chunk_index: 0,
    model,
    generation,
    user_id,
    tier,
    source,
    batch_tag,
    occurred_at_us,
    valid_until_us,
    pii_version,
    chunk_hash: null,
    text: document.text ?? "",
    start_offset: 0,
    end_offset: document.text?.length ?? 0,
    token_count: 7,
    lexeme_count: 5,
    text_hash: 1234,
    artifact_id: null,
    created_at_us: document.updated_at_us,
    vector,
  };
}

/** `count` turns of two people, each a chunk of its own. */
export function conversation(count: number, dimensions = 0): PackRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const text = `Turn ${index}: ${["so you went there?", "yes, with Ann, last summer", "how was it — 東京?"][index % 3]}`;
    const document: PackRecord = {
      ...RECORD,
      document_id: `talk-1/${index + 1}`,
      user_id: "ada",
      tier: "event",
      source: "session",
      metadata: { session_id: "talk-1", seq: index + 1, role: index % 2 === 0 ? "user" : "assistant" },
      text,
      character_count: text.length,
      batch_tag: "session-1",
      wal_id: "01M8AAAAAAAAAAAAAAAAAAAAAA",
      document_index: index,
      chunk_count: 1,
      occurred_at_us: 1_750_000_000_000_000 + index * 61_000_000,
      created_at_us: 1_750_000_100_000_123 + index * 7,
      updated_at_us: 1_750_000_100_000_123 + index * 7,
    };
    const vector =
      dimensions === 0
        ? null
        : Float32Array.from({ length: dimensions }, (_unused, at) => Math.fround(Math.sin(index * 31 + at)));
    return { ...document, chunks: [wholeChunk(document, vector)] };
  });
}
