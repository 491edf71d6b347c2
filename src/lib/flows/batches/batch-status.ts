import type { R2Bucket } from "@cloudflare/workers-types";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { BatchState, BatchStatus, OutcomeCounts } from "../../contract/batch.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  batchLedgerRowSchema,
  type BatchRow,
  batchRowSchema,
  selectBatch,
  selectBatches,
  selectBatchLedger,
} from "../../db/queries/batches.ts";
import type { Row, Sql } from "../../db/sql.ts";
import { listBatchRequests, type BatchRequest } from "./batch-requests.ts";
import { ownTenantRows } from "../own-rows.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";

export interface StatusContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
}

const NO_OUTCOMES: OutcomeCounts = { indexed: 0, unchanged: 0, duplicate: 0, quarantined: 0, rejected: 0, failed: 0 };

/** Where a batch stands: counted rows of the store, and pending requests counted in R2. Errors: `not_found` for a tag nobody used. */
export async function batchStatus(
  context: StatusContext,
  batch: { readonly tenantId: string; readonly batchTag: string },
): Promise<Result<BatchStatus, Problem>> {
  const [requests, rows] = await Promise.all([
    listBatchRequests(context.bucket, batch.tenantId, batch.batchTag),
    context.sql.transaction(
      { tenantId: batch.tenantId, userId: "*" },
      [selectBatch(batch.tenantId, batch.batchTag), selectBatchLedger(batch.tenantId, batch.batchTag)],
      { readOnly: true },
    ),
  ]);
  if (!requests.ok) return err(storageUnavailable());
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownBatches(batch.tenantId, rows.value[0]);
  if (!own.ok) return own;
  const [row] = own.value;
  if (row === undefined && requests.value.length === 0) return err({ code: "not_found" });
  const ended = new Map(
    (rows.value[1] ?? []).map((ledgerRow) => {
      const parsed = batchLedgerRowSchema.parse(ledgerRow);
      return [parsed.wal_id, parsed.document_count];
    }),
  );
  return ok(statusOf(batch.batchTag, row, { requests: requests.value, ended }));
}

/** Batches of a tenant, the latest first, from their counters alone; `pending_count` needs the status of one batch. */
export async function listBatches(
  context: Pick<StatusContext, "sql">,
  page: { readonly tenantId: string; readonly beforeMs: number | null; readonly rowsMax: number },
): Promise<Result<readonly BatchStatus[], Problem>> {
  const rows = await context.sql.transaction(
    { tenantId: page.tenantId, userId: "*" },
    [selectBatches(page.tenantId, page)],
    { readOnly: true },
  );
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownBatches(page.tenantId, rows.value[0]);
  return own.ok ? ok(own.value.map((row) => statusOf(row.batch_tag, row, { requests: [], ended: new Map() }))) : own;
}

function ownBatches(tenantId: string, rows: readonly Row[] = []): Result<readonly BatchRow[], Problem> {
  return ownTenantRows(
    "batches",
    tenantId,
    rows.map((row) => batchRowSchema.parse(row)),
  );
}

interface Requests {
  readonly requests: readonly BatchRequest[];
  /** Inputs that ended, by WAL id. */
  readonly ended: ReadonlyMap<string, number>;
}

function statusOf(batchTag: string, row: BatchRow | undefined, { requests, ended }: Requests): BatchStatus {
  const outcomes = row === undefined ? NO_OUTCOMES : outcomesOf(row);
  const endedCount = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  // Requests whose WAL object was removed by retention are known by the ledger only, hence the larger of both.
  const pendingCount = requests.reduce(
    (sum, request) => sum + Math.max(0, request.documentCount - (ended.get(request.walId) ?? 0)),
    0,
  );
  const chunkFailedCount = row?.chunk_failed_count ?? 0;
  const state = stateOf({ pendingCount, endedCount, failedCount: outcomes.failed + chunkFailedCount });
  const startedAtMs = startOf(requests, row);
  return {
    batch_tag: batchTag,
    state,
    document_count: endedCount + pendingCount,
    pending_count: pendingCount,
    outcomes,
    chunk_count: row?.chunk_count ?? 0,
    chunk_reused_count: row?.chunk_reused_count ?? 0,
    chunk_failed_count: chunkFailedCount,
    token_count: row?.token_count ?? 0,
    started_at: startedAtMs === null ? null : new Date(startedAtMs).toISOString(),
    last_applied_at: row?.last_applied_at.toISOString() ?? null,
    ...paceOf({ startedAtMs, lastAppliedAtMs: row?.last_applied_at.getTime() ?? null, endedCount, pendingCount }),
    report_url: state === "done" || state === "done_with_failures" ? `/v1/batches/${batchTag}/report` : null,
  };
}

function outcomesOf(row: BatchRow): OutcomeCounts {
  return {
    indexed: row.indexed_count,
    unchanged: row.unchanged_count,
    duplicate: row.duplicate_count,
    quarantined: row.quarantined_count,
    rejected: row.rejected_count,
    failed: row.failed_count,
  };
}

function stateOf(counts: {
  readonly pendingCount: number;
  readonly endedCount: number;
  readonly failedCount: number;
}): BatchState {
  if (counts.pendingCount > 0) return counts.endedCount === 0 ? "queued" : "running";
  return counts.failedCount > 0 ? "done_with_failures" : "done";
}

/** A batch starts when its first request was accepted, which the ulid says; the ledger's row is the fallback. */
function startOf(requests: readonly BatchRequest[], row: BatchRow | undefined): number | null {
  const first = requests.reduce<string | null>(
    (least, request) => (least === null || request.walId < least ? request.walId : least),
    null,
  );
  return first === null ? (row?.first_applied_at.getTime() ?? null) : ulidTimeMs(first);
}

interface Pace {
  readonly startedAtMs: number | null;
  readonly lastAppliedAtMs: number | null;
  readonly endedCount: number;
  readonly pendingCount: number;
}

/** Inputs per second from acceptance to the last commit, and how long the rest takes at that rate. */
function paceOf(pace: Pace): Pick<BatchStatus, "documents_per_second" | "eta_seconds"> {
  if (pace.startedAtMs === null || pace.lastAppliedAtMs === null || pace.endedCount === 0) {
    return { documents_per_second: null, eta_seconds: null };
  }
  const seconds = Math.max(0.001, (pace.lastAppliedAtMs - pace.startedAtMs) / 1000);
  const rate = pace.endedCount / seconds;
  return { documents_per_second: round(rate), eta_seconds: round(pace.pendingCount / rate) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
