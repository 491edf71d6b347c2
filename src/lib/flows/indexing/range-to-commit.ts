import type { EmbeddedChunks } from "./embed-documents.ts";
import type { SketchedDocument } from "./duplicate-document.ts";
import type { PreparedChunk } from "./prepare-document.ts";
import type { PreparedRange } from "./prepare-range.ts";

/** A changed document with its chunks. */
export interface IndexedDocument extends SketchedDocument, EmbeddedChunks {}

/** A range whose new documents are cut and embedded. */
export interface RangeToCommit extends PreparedRange {
  readonly indexed: readonly IndexedDocument[];
}

export function tokensOf(chunks: readonly PreparedChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.tokenCount, 0);
}
