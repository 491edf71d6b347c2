import { utf8Bytes } from "../../base/bytes.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { IngestReport } from "../../contract/batch.ts";
import type { DriftReport } from "../../contract/drift.ts";
import type { Problem } from "../../contract/problem.ts";
import { upsertArtifact, WHOLE_TENANT } from "../../db/queries/artifacts.ts";
import { upsertBatchProfile } from "../../db/queries/batch-profiles.ts";
import { batchStatus, type StatusContext } from "./batch-status.ts";
import { buildReport, type BatchName } from "./build-report.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { readDrift } from "./read-drift.ts";

export type ReportContext = StatusContext;

/** R2 key of a batch's ingest report. */
export function reportKey(batch: BatchName): string {
  return `ingest_reports/${batch.tenantId}/${batch.batchTag}.json`;
}

/** Artifact id of a batch's ingest report. */
export function reportArtifactId(batchTag: string): string {
  return `report-${batchTag}`;
}

export interface WrittenReport {
  readonly report: IngestReport;
  /** The batch's profile is new, or another than before: worth comparing. */
  readonly isProfileNew: boolean;
}

/**
 * Builds the report, writes it to R2, and registers it together with the batch's profile. Repeating it is harmless: equal content leaves
 * the rows alone.
 */
export async function writeReport(context: ReportContext, batch: BatchName): Promise<Result<WrittenReport, Problem>> {
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
      userId: WHOLE_TENANT,
      kind: "report",
      objectKey: reportKey(batch),
      mediaType,
      sizeBytes: utf8Bytes(json).length,
      sha256Hex: sha256HexSync(json),
      batchTag: batch.batchTag,
    }),
    upsertBatchProfile(batch.tenantId, {
      batchTag: batch.batchTag,
      profileJson: JSON.stringify(built.value.profile),
      documentCount: built.value.report.document_count,
    }),
  ]);
  if (!registered.ok) return err(problemOfSql(registered.error));
  return ok({ report: built.value.report, isProfileNew: (registered.value[1] ?? []).length > 0 });
}

/**
 * Writes the report when nothing of the batch is pending, and says how the batch differs from those before it where that is news. A failure
 * is left to the next reader of the report.
 */
export async function writeReportIfDone(context: ReportContext, batch: BatchName): Promise<DriftReport | undefined> {
  const status = await batchStatus(context, batch);
  if (!status.ok || status.value.pending_count > 0) return undefined;
  const written = await writeReport(context, batch);
  if (!written.ok || !written.value.isProfileNew) return undefined;
  const drift = await readDrift(context.sql, batch);
  return drift.ok ? drift.value : undefined;
}
