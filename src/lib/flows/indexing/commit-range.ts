import { receiptId } from "../../base/document-uid.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { insertDeadLetters, type DeadLetterRow } from "../../db/queries/dead-letters.ts";
import {
  addToBatch,
  deleteFormerGenerations,
  disownErasedReceipts,
  type DocumentRow,
  insertChunks,
  insertLedgerRow,
  insertReceipts,
  type ReceiptRow,
  touchUnchangedDocuments,
  upsertDocuments,
} from "../../db/queries/index-range.ts";
import { deleteSignatures, insertSignatures, type SignatureRow } from "../../db/queries/duplicates.ts";
import { holdActiveModel } from "../../db/queries/models.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import { insertQuarantine, type QuarantineRow } from "../../db/queries/quarantine.ts";
import { lockSeries, settleSeries, type SeriesName } from "../../db/queries/series.ts";
import type { SqlError, Statement } from "../../db/sql.ts";
import { SKETCH_VERSION } from "../../duplicates/sketch.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import type { ModelInUse } from "../model-source.ts";
import { chunkRowsOf, isPoison } from "./chunk-rows.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "./context.ts";
import type { DuplicateDocument, SketchedDocument } from "./duplicate-document.ts";
import { signatureHex, speakerOf } from "./find-stored-duplicates.ts";
import type { EmbeddedChunks } from "./embed-documents.ts";
import type { PreparedChunk, PreparedDocument } from "./prepare-document.ts";
import { versionKeyOf } from "./version-key-of.ts";

/** A changed document with its chunks. */
export interface IndexedDocument extends SketchedDocument, EmbeddedChunks {}

export interface RangeToCommit {
  readonly message: EmbedMessage;
  readonly model: ModelInUse;
  readonly documents: readonly WalDocument[];
  readonly unchanged: readonly PreparedDocument[];
  readonly indexed: readonly IndexedDocument[];
  readonly duplicates: readonly DuplicateDocument[];
  readonly head: WalHead;
  /** By place in the request. */
  readonly languages: ReadonlyMap<number, string>;
  readonly quarantined: readonly QuarantineRow[];
}

/** Writes a prepared range in one transaction. A ledger row that is there already means: applied before, nothing done now. */
export async function commitRange(
  context: Pick<IndexingContext, "sql">,
  range: RangeToCommit,
): Promise<Result<IndexRangeReport, IndexRangeError>> {
  const written = await context.sql.transaction(
    { tenantId: range.message.tenant_id, userId: "*" },
    statementsOf(range),
  );
  if (written.ok) return ok(reportOf(range));
  if (isLedgerConflict(written.error)) return ok({ ...reportOf(range), alreadyApplied: true });
  return err(written.error.code === "constraint_violation" ? { code: "store_changed" } : written.error);
}

function isLedgerConflict(error: SqlError): boolean {
  return error.code === "unique_violation" && error.constraint === "wal_ledger_pkey";
}

function statementsOf(range: RangeToCommit): readonly Statement[] {
  const { message, model } = range;
  const origin = {
    tenantId: message.tenant_id,
    batchTag: message.batch_tag,
    walKey: message.wal_key,
    walId: message.wal_id,
    modelId: model.modelId,
    gateVersion: range.head.gate_version,
    piiVersion: range.head.pii_version ?? "",
    policyVersion: range.head.policy_version ?? 0,
  };
  const key = { tenantId: message.tenant_id, walId: message.wal_id, rangeIndex: message.range_index };
  const chunkRows = range.indexed.flatMap((document) =>
    chunkRowsOf({ ...document, version: document.versionKey }, model.storeVariant),
  );
  const poison = range.indexed.flatMap((document) => poisonRowsOf(message, document));
  const written = [...range.indexed, ...range.duplicates];
  const signatures = range.indexed.flatMap(signatureRowOf);
  const documentIndexes = range.documents.map((document) => document.document_index);
  const series = seriesOf([...written, ...range.unchanged]);
  const userIds = range.documents.map((document) => document.user_id);
  return [
    holdErasures(message.tenant_id, userIds),
    holdActiveModel(model.modelId),
    ...(series.length === 0 ? [] : [lockSeries(message.tenant_id, series)]),
    insertLedgerRow(key, { batchTag: message.batch_tag, state: "applied", documentCount: range.documents.length }),
    ...(written.length === 0
      ? []
      : [upsertDocuments(origin, [...range.indexed.map(documentRowOf), ...range.duplicates.map(duplicateRowOf)])]),
    ...(range.unchanged.length === 0 ? [] : [touchUnchangedDocuments(message.tenant_id, range.unchanged)]),
    ...(chunkRows.length === 0
      ? []
      : [insertChunks(origin, { variant: model.storeVariant, version: "version_key" }, chunkRows)]),
    ...(written.length === 0
      ? []
      : [
          deleteFormerGenerations(
            message.tenant_id,
            written.map((document) => document.documentUid),
          ),
          ...deleteSignatures(message.tenant_id, written),
        ]),
    ...(series.length === 0 ? [] : [settleSeries(message.tenant_id, series)]),
    ...(signatures.length === 0 ? [] : insertSignatures(message.tenant_id, signatures)),
    insertReceipts(origin, receiptRowsOf(range)),
    disownErasedReceipts(origin, documentIndexes),
    ...(range.quarantined.length === 0
      ? []
      : [insertQuarantine(message.tenant_id, message.batch_tag, range.quarantined)]),
    ...(poison.length === 0 ? [] : [insertDeadLetters(message.tenant_id, poison)]),
    addToBatch(origin, documentIndexes),
  ];
}

function seriesOf(documents: readonly PreparedDocument[]): readonly SeriesName[] {
  return documents.flatMap(({ document: { user_id: userId, series } }) =>
    series === undefined ? [] : [{ userId, series }],
  );
}

/** Chunks whose vectors the store knew. */
function reusedChunks(document: IndexedDocument): readonly PreparedChunk[] {
  return document.chunks.filter((chunk) => !document.vectorByHash.has(chunk.chunkHash));
}

function documentRowOf(document: IndexedDocument): DocumentRow {
  const good = document.chunks.filter((chunk) => !isPoison(document, chunk));
  return { ...bareRowOf(document), chunkCount: good.length, tokenCount: tokensOf(good) };
}

/** A document that holds no text of its own. */
function duplicateRowOf(document: DuplicateDocument): DocumentRow {
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
function signatureRowOf(document: IndexedDocument): readonly SignatureRow[] {
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

function poisonRowsOf(message: EmbedMessage, document: IndexedDocument): readonly DeadLetterRow[] {
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

function receiptRowsOf(range: RangeToCommit): readonly ReceiptRow[] {
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

function tokensOf(chunks: readonly PreparedChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.tokenCount, 0);
}

function reportOf(range: RangeToCommit): IndexRangeReport {
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
