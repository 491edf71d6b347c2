import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listPages } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { lockReembedding } from "../../db/queries/reembed.ts";
import {
  batchCountRowSchema,
  type BatchName,
  countBatch,
  dropBatch,
  dropBatchDocuments,
  dropBatchReceipts,
  droppedPageRowSchema,
  droppedRowsSchema,
} from "../../db/queries/retention.ts";
import type { Sql } from "../../db/sql.ts";
import { batchMarkerPrefix } from "../../wal/wal-key.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { reportArtifactId, reportKey } from "../batches/write-report.ts";

interface DropContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly clock: Clock;
}

/** What became of a batch, or would. */
export interface DroppedBatch {
  readonly documentCount: number;
  readonly chunkCount: number;
  readonly receiptCount: number;
  /** False: the time was over, and the next run goes on. */
  readonly isDone: boolean;
}

/** Documents of one statement, with their chunks. */
const DOCUMENTS_PER_PAGE = 500;
const RECEIPTS_PER_PAGE = 5_000;

/** Record of a batch that was dropped: what is restored from the WAL leaves its inputs out. */
export function droppedBatchKey({ tenantId, batchTag }: BatchName): string {
  return `dropped_batches/${tenantId}/${batchTag}.json`;
}

/** What dropping the batch would remove; chunks are not counted. */
export async function measureBatch(
  context: Pick<DropContext, "sql">,
  batch: BatchName,
): Promise<Result<DroppedBatch, Problem>> {
  const rows = await context.sql.transaction({ tenantId: batch.tenantId, userId: "*" }, [countBatch(batch)], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const { document_count: documentCount, receipt_count: receiptCount } = batchCountRowSchema.parse(rows.value[0]?.[0]);
  return ok({ documentCount, chunkCount: 0, receiptCount, isDone: true });
}

/**
 * Drops a batch: a record in R2 first, then documents with their chunks, receipts, its objects, its row last, so that a run that dies leaves a batch that
 * the next one meets again. Every statement looks at what it finds: two runs at once do no harm.
 */
export async function dropExpiredBatch(
  context: DropContext,
  batch: BatchName,
  { isSpent }: { readonly isSpent: () => boolean },
): Promise<Result<DroppedBatch, Problem>> {
  const scope = { tenantId: batch.tenantId, userId: "*" };
  const tally = { documentCount: 0, chunkCount: 0, receiptCount: 0 };
  const recorded = await record(context, batch);
  if (!recorded.ok) return recorded;
  for (;;) {
    if (isSpent()) return ok({ ...tally, isDone: false });
    const rows = await context.sql.transaction(scope, [
      lockReembedding(batch.tenantId),
      dropBatchDocuments(batch, DOCUMENTS_PER_PAGE),
    ]);
    if (!rows.ok) return err(problemOfSql(rows.error));
    const page = droppedPageRowSchema.parse(rows.value[1]?.[0]);
    tally.documentCount += page.document_count;
    tally.chunkCount += page.chunk_count;
    if (page.document_count === 0) break;
  }
  for (;;) {
    if (isSpent()) return ok({ ...tally, isDone: false });
    const rows = await context.sql.transaction(scope, [dropBatchReceipts(batch, RECEIPTS_PER_PAGE)]);
    if (!rows.ok) return err(problemOfSql(rows.error));
    const { row_count: count } = droppedRowsSchema.parse(rows.value[0]?.[0]);
    tally.receiptCount += count;
    if (count < RECEIPTS_PER_PAGE) break;
  }
  const removed = await removeObjects(context.bucket, batch);
  if (!removed.ok) return removed;
  const dropped = await context.sql.transaction(scope, dropBatch(batch, reportArtifactId(batch.batchTag)));
  return dropped.ok ? ok({ ...tally, isDone: true }) : err(problemOfSql(dropped.error));
}

async function record({ bucket, clock }: DropContext, batch: BatchName): Promise<Result<void, Problem>> {
  const content = {
    version: 1,
    tenant_id: batch.tenantId,
    batch_tag: batch.batchTag,
    dropped_at: new Date(clock()).toISOString(),
  };
  try {
    await bucket.put(droppedBatchKey(batch), JSON.stringify(content), {
      onlyIf: { etagDoesNotMatch: "*" },
      httpMetadata: { contentType: "application/json" },
    });
    return ok(undefined);
  } catch {
    return err(storageUnavailable());
  }
}

async function removeObjects(bucket: R2Bucket, batch: BatchName): Promise<Result<void, Problem>> {
  try {
    await bucket.delete(reportKey(batch));
    for await (const page of listPages(bucket, { prefix: batchMarkerPrefix(batch.tenantId, batch.batchTag) }))
      if (page.length > 0) await bucket.delete(page.map(({ key }) => key));
    return ok(undefined);
  } catch {
    return err(storageUnavailable());
  }
}
