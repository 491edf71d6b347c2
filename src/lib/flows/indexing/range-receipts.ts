import type { ReceiptRow } from "../../db/queries/write-receipts.ts";
import { isPoison } from "./chunk-rows.ts";
import type { IndexRangeReport } from "./context.ts";
import type { DuplicateDocument } from "./duplicate-document.ts";
import type { PreparedChunk } from "./prepare-document.ts";
import { type IndexedDocument, type RangeToCommit, tokensOf } from "./range-to-commit.ts";
import { versionKeyOf } from "./version-key-of.ts";

/** What became of each input of a range, as far as it is known before the transaction. */
export function receiptRowsOf(range: RangeToCommit): readonly ReceiptRow[] {
  const indexed = new Map(range.indexed.map((document) => [document.document.document_index, document]));
  const unchanged = new Map(range.unchanged.map((document) => [document.document.document_index, document]));
  const duplicates = new Map(range.duplicates.map((document) => [document.document.document_index, document]));
  return range.documents.map((document) => {
    const entry = indexed.get(document.document_index);
    const duplicate = duplicates.get(document.document_index);
    const base = {
      documentIndex: document.document_index,
      userId: document.user_id,
      documentId: document.document_id,
      reasons: document.reasons,
      versionKey: versionKeyOf(range.message.wal_id, document),
      documentUid: (entry ?? duplicate ?? unchanged.get(document.document_index))?.documentUid ?? null,
      chunkReusedCount: 0,
      chunkFailedCount: 0,
      tokenCount: 0,
      source: document.source,
      tier: document.tier,
      language: range.languages.get(document.document_index) ?? "",
      characterCount: document.curation?.character_count ?? document.text?.length ?? 0,
      relaxedStep: document.curation?.relaxed_step ?? 0,
      piiCountsJson: JSON.stringify(document.curation?.pii_counts ?? {}),
      duplicateOf: duplicate?.originalUid ?? null,
    };
    if (entry !== undefined) return { ...base, ...indexedReceipt(entry, base.reasons) };
    if (duplicate !== undefined) return { ...base, outcome: "duplicate", reasons: duplicateReasons(duplicate) };
    if (document.verdict === "rejected" || document.verdict === "quarantined")
      return { ...base, outcome: document.verdict };
    return { ...base, outcome: "unchanged" };
  });
}

/** Why a duplicate was left out, and whose text it is; what was said of it at the edge comes after. */
function duplicateReasons({ document, kind, similarity, originalId }: DuplicateDocument): ReceiptRow["reasons"] {
  const code = `duplicate_${kind}`;
  const measure = Math.round(similarity * 10_000) / 10_000;
  return [{ code, measure, detail: originalId }, ...document.reasons.filter((reason) => reason.code !== code)];
}

function indexedReceipt(
  entry: IndexedDocument,
  reasons: ReceiptRow["reasons"],
): Pick<ReceiptRow, "outcome" | "reasons" | "chunkReusedCount" | "chunkFailedCount" | "tokenCount"> {
  const poison = entry.chunks.filter((chunk) => isPoison(entry, chunk));
  const good = entry.chunks.filter((chunk) => !isPoison(entry, chunk));
  return {
    // A document of which nothing can be found has failed, whatever was stored of it.
    outcome: good.length === 0 && poison.length > 0 ? "failed" : "indexed",
    reasons: poison.length === 0 ? reasons : [...reasons, { code: "chunks_refused", measure: poison.length }],
    chunkReusedCount: reusedChunks(entry).length,
    chunkFailedCount: poison.length,
    tokenCount: tokensOf(good),
  };
}

/** Chunks whose vectors the store knew. */
function reusedChunks(document: IndexedDocument): readonly PreparedChunk[] {
  return document.chunks.filter((chunk) => !document.vectorByHash.has(chunk.chunkHash));
}

/** What applying the range does, as its receipts say. */
export function reportOf(range: RangeToCommit): IndexRangeReport {
  const receipts = receiptRowsOf(range);
  return {
    alreadyApplied: false,
    documentCount: range.documents.length,
    indexedCount: range.indexed.length,
    unchangedCount: range.unchanged.length,
    duplicateCount: range.duplicates.length,
    chunkCount: range.indexed.reduce((sum, document) => sum + document.chunks.length, 0),
    chunkReusedCount: receipts.reduce((sum, row) => sum + row.chunkReusedCount, 0),
    chunkFailedCount: receipts.reduce((sum, row) => sum + row.chunkFailedCount, 0),
    tokenCount: receipts.reduce((sum, row) => sum + row.tokenCount, 0),
    tokenReusedCount: range.indexed.reduce((sum, document) => sum + tokensOf(reusedChunks(document)), 0),
    receivedAtMs: range.head.received_at_ms,
  };
}
