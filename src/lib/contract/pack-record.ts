/** What a pack holds of a document: all that its rows in `documents` and `doc_embeddings` are restored from. Times are microseconds since 1970, as Postgres keeps them. */
import type { Metadata } from "./document.ts";

/** One row of `doc_embeddings`. Columns that repeat the document's are there because a row may differ from it for a while. */
export interface PackChunk {
  readonly chunk_index: number;
  /** Place of the row's model in the pack's `models`. */
  readonly model: number;
  readonly generation: number;
  readonly user_id: string;
  readonly tier: string;
  readonly source: string;
  readonly batch_tag: string;
  /** SHA-256 of the indexed text, hexadecimal. */
  readonly chunk_hash: string | null;
  /** The words of the chunk; in the file they are offsets into the document's text where both agree. */
  readonly text: string;
  readonly start_offset: number;
  readonly end_offset: number;
  readonly token_count: number;
  readonly lexeme_count: number;
  readonly text_hash: number | null;
  readonly artifact_id: string | null;
  readonly occurred_at_us: number | null;
  readonly valid_until_us: number | null;
  readonly created_at_us: number | null;
  readonly pii_version: string;
  /** Under the fingerprint of the pack; null in a pack without vectors, and for rows of another model. */
  readonly vector: Float32Array | null;
}

/** One row of `documents` with its chunks. `null` in a column that Postgres never leaves empty: its value follows from the others (docs/FORMATS.md). */
export interface PackRecord {
  readonly document_id: string;
  readonly user_id: string;
  readonly tier: string;
  readonly source: string;
  readonly title: string;
  readonly metadata: Metadata;
  /** The whole text, or null where only the chunks have their words. */
  readonly text: string | null;
  readonly document_uid: string | null;
  readonly content_hash: string | null;
  readonly model: number;
  readonly generation: number;
  readonly version_key: string | null;
  readonly batch_tag: string;
  readonly wal_id: string;
  readonly wal_key: string | null;
  readonly document_index: number;
  readonly chunk_count: number;
  readonly token_count: number;
  readonly character_count: number;
  readonly series: string | null;
  readonly series_position: number;
  readonly occurred_at_us: number | null;
  readonly valid_until_us: number | null;
  readonly deleted_at_us: number | null;
  readonly created_at_us: number | null;
  readonly updated_at_us: number | null;
  readonly pii_version: string;
  readonly duplicate_of: string | null;
  readonly duplicate_hash: string | null;
  /** What was said before an event, as its WAL object has it: searched with the text, never shown as part of it. */
  readonly context: string | null;
  /** How the input was admitted, as far as no row says it: JSON of `packedAdmissionSchema`; null where that is not known. */
  readonly admission: string | null;
  readonly chunks: readonly PackChunk[];
}
