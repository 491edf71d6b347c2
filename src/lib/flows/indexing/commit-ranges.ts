import { err, ok, type Result } from "../../base/result.ts";
import { deleteSignatures, insertSignatures } from "../../db/queries/duplicates.ts";
import { insertDeadLetters } from "../../db/queries/dead-letters.ts";
import { insertLedgerRow } from "../../db/queries/ledger.ts";
import { type RangeOrigin } from "../../db/queries/range-origin.ts";
import { deleteFormerGenerations, insertChunks } from "../../db/queries/write-chunks.ts";
import { touchUnchangedDocuments, upsertDocuments } from "../../db/queries/write-documents.ts";
import { addToBatch, disownErasedReceipts, insertReceipts } from "../../db/queries/write-receipts.ts";
import { holdActiveModel } from "../../db/queries/models.ts";
import { insertQuarantine } from "../../db/queries/quarantine.ts";
import { lockSeries, settleSeries, type SeriesName } from "../../db/queries/series.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import type { SqlError, Statement } from "../../db/sql.ts";
import type { ModelInUse } from "../models/model-source.ts";
import { chunkRowsOf } from "./chunk-rows.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "./context.ts";
import { documentRowOf, duplicateRowOf, poisonRowsOf, signatureRowOf } from "./document-rows.ts";
import type { PreparedDocument } from "./prepare-document.ts";
import { receiptRowsOf, reportOf } from "./range-receipts.ts";
import type { RangeToCommit } from "./range-to-commit.ts";

/** Ranges of one tenant, prepared for one model, of which no two touch the same thing (`groupRanges`). In the order of their requests. */
export interface RangesToCommit {
  readonly tenantId: string;
  readonly model: ModelInUse;
  readonly ranges: readonly RangeToCommit[];
}

/**
 * Writes prepared ranges in one transaction: each has its own ledger row, receipts and counters, and all or none of them hold. A ledger row that is there
 * already means for one range alone: applied before, nothing done now. Of several it fails them all, since the others are not applied.
 */
export async function commitRanges(
  context: Pick<IndexingContext, "sql">,
  work: RangesToCommit,
): Promise<Result<readonly IndexRangeReport[], IndexRangeError>> {
  const reports = work.ranges.map(reportOf);
  const written = await context.sql.transaction({ tenantId: work.tenantId, userId: "*" }, statementsOf(work));
  if (written.ok) return ok(reports);
  if (reports.length === 1 && isLedgerConflict(written.error))
    return ok(reports.map((report) => ({ ...report, alreadyApplied: true })));
  return err(written.error.code === "constraint_violation" ? { code: "store_changed" } : written.error);
}

function isLedgerConflict(error: SqlError): boolean {
  return error.code === "unique_violation" && error.constraint === "wal_ledger_pkey";
}

/** Locks first; then whatever belongs to the tenant in one statement for all ranges, so that each table is written in one order. */
function statementsOf({ tenantId, model, ranges }: RangesToCommit): readonly Statement[] {
  const userIds = ranges.flatMap(({ documents }) => documents.map((document) => document.user_id));
  const series = ranges.flatMap(({ indexed, duplicates, unchanged }) =>
    seriesOf([...indexed, ...duplicates, ...unchanged]),
  );
  const poison = ranges.flatMap(({ message, indexed }) => indexed.flatMap((each) => poisonRowsOf(message, each)));
  return [
    holdErasures(tenantId, userIds),
    holdActiveModel(model.modelId),
    ...(series.length === 0 ? [] : [lockSeries(tenantId, series)]),
    ...ranges.map(ledgerRowOf),
    ...documentStatements({ tenantId, model, ranges }),
    ...(series.length === 0 ? [] : [settleSeries(tenantId, series)]),
    ...signatureStatements(tenantId, ranges),
    ...ranges.flatMap(receiptStatements),
    ...(poison.length === 0 ? [] : [insertDeadLetters(tenantId, poison)]),
    // Two transactions that count for the same batches take their rows in the same order.
    ...ranges
      .toSorted((a, b) => (a.message.batch_tag < b.message.batch_tag ? -1 : 1))
      .map((range) => addToBatch(originOf(range), documentIndexesOf(range))),
  ];
}

function ledgerRowOf({ message, documents }: RangeToCommit): Statement {
  const { tenant_id: tenantId, wal_id: walId, range_index: rangeIndex, batch_tag: batchTag } = message;
  return insertLedgerRow(
    { tenantId, walId, rangeIndex },
    { batchTag, state: "applied", documentCount: documents.length },
  );
}

function documentStatements({ tenantId, model, ranges }: RangesToCommit): readonly Statement[] {
  const written = ranges.flatMap(({ indexed, duplicates }) => [...indexed, ...duplicates]);
  const unchanged = ranges.flatMap((range) => range.unchanged);
  const chunkRows = ranges.flatMap(({ indexed }) =>
    indexed.flatMap((document) => chunkRowsOf({ ...document, version: document.versionKey }, model.storeVariant)),
  );
  const target = { variant: model.storeVariant, version: "version_key" } as const;
  const uids = written.map((document) => document.documentUid);
  return [
    ...ranges
      .filter(({ indexed, duplicates }) => indexed.length + duplicates.length > 0)
      .map((range) =>
        upsertDocuments(originOf(range), [
          ...range.indexed.map(documentRowOf),
          ...range.duplicates.map(duplicateRowOf),
        ]),
      ),
    ...(unchanged.length === 0 ? [] : [touchUnchangedDocuments(tenantId, unchanged)]),
    ...(chunkRows.length === 0 ? [] : [insertChunks({ tenantId, modelId: model.modelId }, target, chunkRows)]),
    ...(written.length === 0 ? [] : [deleteFormerGenerations(tenantId, uids), ...deleteSignatures(tenantId, written)]),
  ];
}

function signatureStatements(tenantId: string, ranges: readonly RangeToCommit[]): readonly Statement[] {
  const signatures = ranges.flatMap(({ indexed }) => indexed.flatMap(signatureRowOf));
  return signatures.length === 0 ? [] : insertSignatures(tenantId, signatures);
}

function receiptStatements(range: RangeToCommit): readonly Statement[] {
  const { tenant_id: tenantId, batch_tag: batchTag } = range.message;
  const origin = originOf(range);
  return [
    insertReceipts(origin, receiptRowsOf(range)),
    disownErasedReceipts(origin, documentIndexesOf(range)),
    ...(range.quarantined.length === 0 ? [] : [insertQuarantine(tenantId, batchTag, range.quarantined)]),
  ];
}

function originOf({ message, model, head }: RangeToCommit): RangeOrigin {
  return {
    tenantId: message.tenant_id,
    batchTag: message.batch_tag,
    walKey: message.wal_key,
    walId: message.wal_id,
    modelId: model.modelId,
    gateVersion: head.gate_version,
    piiVersion: head.pii_version ?? "",
    policyVersion: head.policy_version ?? 0,
  };
}

function documentIndexesOf({ documents }: RangeToCommit): readonly number[] {
  return documents.map((document) => document.document_index);
}

function seriesOf(documents: readonly PreparedDocument[]): readonly SeriesName[] {
  return documents.flatMap(({ document: { user_id: userId, series } }) =>
    series === undefined ? [] : [{ userId, series }],
  );
}
