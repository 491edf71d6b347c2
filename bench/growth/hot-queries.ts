/** The statements that requests, consumers and jobs run most, over one synthetic store, with the indexes that each is meant to use. */
import { selectBatch, selectBatches, selectBatchLedger } from "../../src/lib/db/queries/batches.ts";
import { selectFirstRequest, selectReasonCounts } from "../../src/lib/db/queries/batch-report.ts";
import { selectDocumentChunks, selectDuplicateCandidates } from "../../src/lib/db/queries/duplicates.ts";
import { deleteChunksOfDocuments } from "../../src/lib/db/queries/erase-document.ts";
import { selectLedgerRow } from "../../src/lib/db/queries/ledger.ts";
import { selectKnownChunkHashes } from "../../src/lib/db/queries/write-chunks.ts";
import { selectKnownDocuments } from "../../src/lib/db/queries/write-documents.ts";
import { selectAppliedRanges } from "../../src/lib/db/queries/ledger.ts";
import { recountDocument, selectReceipt, selectReceipts } from "../../src/lib/db/queries/receipts.ts";
import { countBatch, dropBatchDocuments, selectExpiredBatches } from "../../src/lib/db/queries/retention.ts";
import { selectReturnedChunks } from "../../src/lib/db/queries/returned-texts.ts";
import { selectNeighbours } from "../../src/lib/db/queries/search-neighbours.ts";
import { selectAppliedDocuments } from "../../src/lib/db/queries/search-writes.ts";
import type { Scope, Statement } from "../../src/lib/db/sql.ts";
import { statement } from "../../test/support/database.ts";
import { MODEL_ID } from "./row-writers.ts";
import type { SampledDocument } from "./sampled-documents.ts";

export interface HotQuery {
  readonly name: string;
  readonly scope: Scope;
  /** Run before it in the same transaction. */
  readonly settings: readonly Statement[];
  readonly statement: Statement;
  /** Each is the name of an index that the statement has to use. */
  readonly expects: readonly RegExp[];
  /** It changes rows: it is planned and not carried out. */
  readonly isPlannedOnly?: boolean;
}

/** Documents that the consumer asks for at once. */
const DOCUMENTS_AT_ONCE = 50;

/** Everything but searches, of the tenant whose documents these are; `turn` chooses among them. */
export function hotQueries(tenantId: string, documents: readonly SampledDocument[], turn: number): HotQuery[] {
  const one = documents[turn % documents.length];
  if (one === undefined) throw new Error("documents to ask for");
  const several = Array.from(
    { length: DOCUMENTS_AT_ONCE },
    (_, index) => documents[(turn + index) % documents.length] ?? one,
  );
  const query = (
    name: string,
    asked: Statement,
    expects: readonly RegExp[],
    more: Partial<HotQuery> = {},
  ): HotQuery => ({
    name,
    scope: { tenantId, userId: "*" },
    settings: [],
    statement: asked,
    expects,
    ...more,
  });
  return [
    ...indexingQueries(tenantId, one, several, query),
    ...batchQueries(tenantId, one, query),
    ...documentQueries(tenantId, one, several, query),
  ];
}

type MakeQuery = (name: string, asked: Statement, expects: readonly RegExp[], more?: Partial<HotQuery>) => HotQuery;

function indexingQueries(
  tenantId: string,
  one: SampledDocument,
  several: readonly SampledDocument[],
  query: MakeQuery,
): HotQuery[] {
  const probes = several.slice(0, 10);
  const duplicateProbes = probes.map((document) => ({
    documentUid: document.documentUid,
    userId: document.userId,
    tier: document.tier,
    normalisedHash: document.contentHash,
    occurredAt: null,
    bands: document.bands,
  }));
  const passages = probes.map(({ documentUid, userId, contentHash, textHash }) => ({
    documentUid,
    userId,
    normalisedHash: contentHash,
    textHash,
    mayBeEvent: true,
  }));
  const uids = several.map(({ documentUid }) => documentUid);
  const hashes = several.map(({ chunkHash }) => chunkHash);
  return [
    query("ledger: one range", selectLedgerRow({ tenantId, walId: one.walId, rangeIndex: 0 }), [/^wal_ledger_pkey$/]),
    query(
      "sweeper: ranges of 50 WAL objects",
      selectAppliedRanges(
        tenantId,
        several.map(({ walId }) => walId),
      ),
      [/^wal_ledger_pkey$/],
    ),
    query("await writes: inputs of one WAL object", selectAppliedDocuments(tenantId, [one.walId]), [
      /^wal_ledger_pkey$/,
    ]),
    query("ingest: 50 known documents", selectKnownDocuments(tenantId, uids), [/^documents_pkey$/]),
    query("ingest: 50 known chunk hashes", selectKnownChunkHashes(tenantId, MODEL_ID, hashes), [/_chunk_hash_idx$/]),
    query(
      "ingest: duplicates of 10 texts",
      selectDuplicateCandidates(tenantId, duplicateProbes, { sketchVersion: 1, bandRowsMax: 64, candidatesMax: 8 }),
      [/^document_signatures_time$/, /^signature_bands_pkey$/],
    ),
    query("ingest: 10 passages among chunks", selectReturnedChunks(tenantId, passages), [/_text_hash_/]),
  ];
}

function batchQueries(tenantId: string, { batchTag }: SampledDocument, query: MakeQuery): HotQuery[] {
  const batch = { tenantId, batchTag };
  const page = { batchTag, outcome: null, after: null, rowsMax: 100 };
  return [
    query("batch: counters", selectBatch(tenantId, batchTag), []),
    query("batch: newest 50", selectBatches(tenantId, { beforeMs: null, rowsMax: 50 }), []),
    query("batch: its requests", selectBatchLedger(tenantId, batchTag), [/^wal_ledger_batch$/]),
    query("batch: reasons of the report", selectReasonCounts(tenantId, batchTag), [/^receipts_batch$/]),
    query("batch: first request", selectFirstRequest(tenantId, batchTag), [/^receipts_batch$/]),
    query("batch: a page of receipts", selectReceipts({ tenantId, userId: "*" }, page), [/^receipts_(batch|pkey)$/]),
    query("batch: chunks by tag", countChunksOfBatch(batch), [/_batch_tag_idx$/]),
    query("retention: expired batches", selectExpiredBatches(tenantId, { days: 0, pinned: [], rowsMax: 50 }), []),
    query("retention: what a drop removes", countBatch(batch), [/^receipts_batch$/, /^documents_/]),
    query(
      "retention: drop a page of 100",
      dropBatchDocuments(batch, 100),
      [/^receipts_batch$/, /^documents_pkey$/, /_pkey$/],
      {
        isPlannedOnly: true,
      },
    ),
  ];
}

function documentQueries(
  tenantId: string,
  one: SampledDocument,
  several: readonly SampledDocument[],
  query: MakeQuery,
): HotQuery[] {
  const scope = { tenantId, userId: "*" };
  const uids = several.map(({ documentUid }) => documentUid);
  const neighbours = selectNeighbours({
    scope: { tenantId, userId: one.userId },
    modelId: MODEL_ID,
    documentUids: uids,
    asOf: undefined,
  });
  return [
    query("receipt: one", selectReceipt(scope, one.walId, one.documentIndex), [/^receipts_pkey$/, /^documents_pkey$/]),
    query("receipt: recount of a document", recountDocument(scope, one.documentUid), [
      /^doc_embeddings_p\d+_pkey$/,
      /^documents_pkey$/,
    ]),
    query("search: 50 neighbours", neighbours, [/^doc_embeddings_p\d+_pkey$/, /^documents_pkey$/]),
    query("duplicates: chunks of 10 documents", selectDocumentChunks(tenantId, uids.slice(0, 10)), [
      /^doc_embeddings_p\d+_pkey$/,
      /^documents_pkey$/,
    ]),
    query("erasure: chunks of 50 documents", deleteChunksOfDocuments(tenantId, uids), [/^doc_embeddings_p\d+_pkey$/], {
      isPlannedOnly: true,
    }),
  ];
}

/** As an audit or a check of orphans recounts a batch. */
function countChunksOfBatch({
  tenantId,
  batchTag,
}: {
  readonly tenantId: string;
  readonly batchTag: string;
}): Statement {
  return statement("select count(*) from doc_embeddings where tenant_id = $1 and batch_tag = $2", tenantId, batchTag);
}
