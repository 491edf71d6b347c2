/** Chunks made once more from the text that R2 holds, and held against the rows. Pure but for what is handed in. */
import type { WalDocument } from "../../contract/wal-record.ts";
import type { SampledDocument } from "../../db/queries/audit.ts";
import { hashPrefix, normalisedHash } from "../../duplicates/sketch.ts";
import type { TokenCounter } from "../../model/token-counter.ts";
import { prepareChunks, prepareDocument, type ChunkingModel } from "../indexing/prepare-document.ts";

export interface Recomputed {
  /** Chunks that are not what stands at their place in the text, or whose normalised hash is another's. */
  readonly otherTexts: readonly string[];
  /** Chunks whose hash is not that of what is indexed of them. */
  readonly otherHashes: readonly string[];
  /** False: the document was cut by other rules than those of now, so that its hashes cannot be made again. */
  readonly isRecomputable: boolean;
}

export function recomputeChunks(
  tenantId: string,
  stored: SampledDocument,
  made: {
    readonly document: WalDocument;
    /** Undefined where the tokenizer or the model is not there. */
    readonly cutter: { readonly counter: TokenCounter; readonly model: ChunkingModel } | undefined;
  },
): Recomputed {
  const { document, cutter } = made;
  const source = document.text ?? "";
  const name = (index: number): string => `${stored.document_uid}/${index}`;
  const otherTexts = stored.chunks
    .filter(
      ({ text, start_offset: start, end_offset: end, text_hash: hash }) =>
        text !== source.slice(start, end) || (hash !== null && hash !== hashPrefix(normalisedHash(text))),
    )
    .map((chunk) => name(chunk.chunk_index));
  const { contentHash } = prepareDocument(tenantId, stored.wal_id, document);
  if (cutter === undefined || contentHash !== stored.content_hash)
    return { otherTexts, otherHashes: [], isRecomputable: false };
  const prepared = new Map(
    prepareChunks(document, cutter.counter, cutter.model).map(({ chunkIndex, chunkHash }) => [chunkIndex, chunkHash]),
  );
  const otherHashes = stored.chunks
    .filter((chunk) => prepared.get(chunk.chunk_index) !== chunk.chunk_hash)
    .map((chunk) => name(chunk.chunk_index));
  return { otherTexts, otherHashes, isRecomputable: true };
}
