import { utf8Bytes } from "../base/bytes.ts";
import { sha256HexSync } from "../base/hash.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { BatchStatus, IngestReport } from "../contract/batch.ts";
import type { Problem } from "../contract/problem.ts";
import { upsertArtifact } from "../db/queries/artifacts.ts";
import {
  batchModelRowSchema,
  reasonCountRowSchema,
  selectBatchModels,
  selectReasonCounts,
  selectSourceCounts,
  sourceCountRowSchema,
} from "../db/queries/batches.ts";
import { batchStatus, type StatusContext } from "./batch-status.ts";
import { problemOfSql, storageUnavailable } from "./problem-of.ts";

export type ReportContext = StatusContext;

interface BatchName {
  readonly tenantId: string;
  readonly batchTag: string;
}

/** R2 key of a batch's ingest report. */
export function reportKey(batch: BatchName): string {
  return `ingest_reports/${batch.tenantId}/${batch.batchTag}.json`;
}

/** Artifact id of a batch's ingest report. */
export function reportArtifactId(batchTag: string): string {
  return `report-${batchTag}`;
}

/** The report as it follows from the store now. Two builds without a commit between them are equal. */
export async function buildReport(
  context: StatusContext,
  batch: BatchName,
): Promise<Result<{ readonly report: IngestReport; readonly status: BatchStatus }, Problem>> {
  const status = await batchStatus(context, batch);
  if (!status.ok) return status;
  const rows = await context.sql.transaction(
    { tenantId: batch.tenantId, userId: "*" },
    [
      selectReasonCounts(batch.tenantId, batch.batchTag),
      selectSourceCounts(batch.tenantId, batch.batchTag),
      selectBatchModels(batch.tenantId, batch.batchTag),
    ],
    { readOnly: true },
  );
  if (!rows.ok) return err(problemOfSql(rows.error));
  const [reasons = [], sources = [], models = []] = rows.value;
  const counted = status.value;
  const report: IngestReport = {
    schema_version: 1,
    tenant_id: batch.tenantId,
    batch_tag: batch.batchTag,
    state: counted.state,
    document_count: counted.document_count,
    outcomes: counted.outcomes,
    reasons: reasons.map((row) => reasonCountRowSchema.parse(row)).filter((row) => row.code !== ""),
    sources: sources.map((row) => sourceCountRowSchema.parse(row)),
    chunk_count: counted.chunk_count,
    chunk_reused_count: counted.chunk_reused_count,
    chunk_failed_count: counted.chunk_failed_count,
    token_count: counted.token_count,
    models: models.map((row) => batchModelRowSchema.parse(row)),
    started_at: counted.started_at,
    last_applied_at: counted.last_applied_at,
    duration_seconds: durationSeconds(counted),
  };
  return ok({ report, status: counted });
}

function durationSeconds(status: BatchStatus): number | null {
  if (status.started_at === null || status.last_applied_at === null) return null;
  return (Date.parse(status.last_applied_at) - Date.parse(status.started_at)) / 1000;
}

/** Builds the report, writes it to R2 and registers it. Repeating it is harmless: equal content leaves the artifact's row alone. */
export async function writeReport(context: ReportContext, batch: BatchName): Promise<Result<IngestReport, Problem>> {
  const built = await buildReport(context, batch);
  if (!built.ok) return built;
  const json = `${JSON.stringify(built.value.report, null, 2)}\n`;
  const mediaType = "application/json";
  try {
    await context.bucket.put(reportKey(batch), json, { httpMetadata: { contentType: mediaType } });
  } catch {
    return err(storageUnavailable());
  }
  const registered = await context.sql.transaction({ tenantId: batch.tenantId, userId: "*" }, [
    upsertArtifact(batch.tenantId, {
      artifactId: reportArtifactId(batch.batchTag),
      kind: "report",
      objectKey: reportKey(batch),
      mediaType,
      sizeBytes: utf8Bytes(json).length,
      sha256Hex: sha256HexSync(json),
      batchTag: batch.batchTag,
    }),
  ]);
  return registered.ok ? ok(built.value.report) : err(problemOfSql(registered.error));
}

/** Writes the report when nothing of the batch is pending. A failure is left to the next reader of the report. */
export async function writeReportIfDone(context: ReportContext, batch: BatchName): Promise<void> {
  const status = await batchStatus(context, batch);
  if (status.ok && status.value.pending_count === 0) await writeReport(context, batch);
}
