import type { EmbedMessage } from "../../contract/queue-message.ts";
import { receiptId } from "../../base/document-uid.ts";
import type { DeadLetterRow } from "../../db/queries/dead-letters.ts";
import type { SignatureRow } from "../../db/queries/duplicates.ts";
import type { DocumentRow } from "../../db/queries/write-documents.ts";
import { SKETCH_VERSION } from "../../duplicates/sketch.ts";
import { isPoison } from "./chunk-rows.ts";
import type { DuplicateDocument } from "./duplicate-document.ts";
import { signatureHex, speakerOf } from "./find-stored-duplicates.ts";
import type { PreparedDocument } from "./prepare-document.ts";
import { type IndexedDocument, tokensOf } from "./range-to-commit.ts";

/** A document that holds its text. */
export function documentRowOf(document: IndexedDocument): DocumentRow {
  const good = document.chunks.filter((chunk) => !isPoison(document, chunk));
  return { ...bareRowOf(document), chunkCount: good.length, tokenCount: tokensOf(good) };
}

/** A document that holds no text of its own. */
export function duplicateRowOf(document: DuplicateDocument): DocumentRow {
  return { ...bareRowOf(document), duplicateOf: document.originalUid, duplicateHash: document.originalHash };
}

function bareRowOf(document: PreparedDocument): DocumentRow {
  const source = document.document;
  return {
    documentUid: document.documentUid,
    versionKey: document.versionKey,
    userId: source.user_id,
    documentId: source.document_id,
    tier: source.tier,
    source: source.source,
    title: source.title,
    metadataJson: JSON.stringify(source.metadata),
    contentHash: document.contentHash,
    documentIndex: source.document_index,
    chunkCount: 0,
    tokenCount: 0,
    characterCount: document.characterCount,
    occurredAt: source.occurred_at_ms === null ? null : new Date(source.occurred_at_ms).toISOString(),
    duplicateOf: null,
    duplicateHash: null,
    series: source.series ?? null,
    seriesPosition: source.series_position ?? 0,
  };
}

/** What the next ones are compared with. A document of which nothing can be found is no original. */
export function signatureRowOf(document: IndexedDocument): readonly SignatureRow[] {
  const { sketch } = document;
  if (sketch === undefined || document.chunks.every((chunk) => isPoison(document, chunk))) return [];
  return [
    {
      documentUid: document.documentUid,
      versionKey: document.versionKey,
      speaker: speakerOf(document.document),
      sketchVersion: SKETCH_VERSION,
      normalisedHash: sketch.normalisedHash,
      signature: signatureHex(sketch.signature),
      bands: sketch.bands,
    },
  ];
}

/** A dead letter for each chunk that the model refused. */
export function poisonRowsOf(message: EmbedMessage, document: IndexedDocument): readonly DeadLetterRow[] {
  const receipt = receiptId(message.wal_id, document.document.document_index);
  return document.chunks
    .filter((chunk) => isPoison(document, chunk))
    .map((chunk) => ({
      deadLetterId: `${receipt}-${chunk.chunkIndex}`,
      queue: "embed",
      code: "text_refused",
      walKey: message.wal_key,
      walId: message.wal_id,
      rangeIndex: message.range_index,
      documentIndex: document.document.document_index,
      chunkIndex: chunk.chunkIndex,
      attempts: 1,
    }));
}
