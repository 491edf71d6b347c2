import type { z } from "zod";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { BatchStatus, IngestReport } from "../../contract/batch.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  batchModelRowSchema,
  firstRequestRowSchema,
  inputGroupRowSchema,
  piiCountRowSchema,
  reasonCountRowSchema,
  relaxationCountRowSchema,
  selectBatchModels,
  selectFirstRequest,
  selectInputGroups,
  selectPiiCounts,
  selectReasonCounts,
  selectRelaxationCounts,
  selectSourceCounts,
  selectVersionCounts,
  sourceCountRowSchema,
  versionCountRowSchema,
} from "../../db/queries/batch-report.ts";
import type { Row } from "../../db/sql.ts";
import { profileOf, type BatchProfile } from "../../drift/batch-profile.ts";
import { batchStatus, type StatusContext } from "./batch-status.ts";
import { problemOfSql } from "../problem-of.ts";

export interface BatchName {
  readonly tenantId: string;
  readonly batchTag: string;
}

interface BuiltReport {
  readonly report: IngestReport;
  readonly profile: BatchProfile;
}

/** The report as it follows from the store now. Two builds without a commit between them are equal, byte for byte. */
export async function buildReport(context: StatusContext, batch: BatchName): Promise<Result<BuiltReport, Problem>> {
  const status = await batchStatus(context, batch);
  if (!status.ok) return status;
  const { tenantId, batchTag } = batch;
  const rows = await context.sql.transaction(
    { tenantId, userId: "*" },
    [
      selectReasonCounts(tenantId, batchTag),
      selectSourceCounts(tenantId, batchTag),
      selectRelaxationCounts(tenantId, batchTag),
      selectPiiCounts(tenantId, batchTag),
      selectVersionCounts(tenantId, batchTag),
      selectBatchModels(tenantId, batchTag),
      selectInputGroups(tenantId, batchTag),
      selectFirstRequest(tenantId, batchTag),
    ],
    { readOnly: true, isolation: "RepeatableRead" },
  );
  return rows.ok ? ok(reportOf(batch, status.value, rows.value)) : err(problemOfSql(rows.error));
}

function reportOf(batch: BatchName, counted: BatchStatus, rows: readonly (readonly Row[])[]): BuiltReport {
  const [reasons = [], sources = [], relaxation = [], pii = [], versions = [], models = [], grouped = [], first = []] =
    rows;
  const groups = grouped.map((row) => inputGroupRowSchema.parse(row));
  const times = timesOf(firstRequestRowSchema.parse(first[0] ?? { wal_id: null }).wal_id, counted.last_applied_at);
  const report: IngestReport = {
    schema_version: 2,
    tenant_id: batch.tenantId,
    batch_tag: batch.batchTag,
    state: counted.state,
    document_count: counted.document_count,
    outcomes: counted.outcomes,
    reasons: reasons.map((row) => reasonCountRowSchema.parse(row)).filter((row) => row.code !== ""),
    sources: sources.map((row) => sourceOf(sourceCountRowSchema.parse(row))),
    relaxation: relaxation.map((row) => relaxationCountRowSchema.parse(row)),
    pii: pii.map((row) => piiCountRowSchema.parse(row)),
    languages: languagesOf(groups),
    lengths: lengthsOf(groups),
    versions: versions.map((row) => versionCountRowSchema.parse(row)),
    models: models.map((row) => batchModelRowSchema.parse(row)),
    chunk_count: counted.chunk_count,
    chunk_reused_count: counted.chunk_reused_count,
    chunk_failed_count: counted.chunk_failed_count,
    token_count: counted.token_count,
    ...times,
  };
  return {
    report,
    profile: profileOf(
      groups.map(({ length_class: lengthClass, input_count: inputCount, ...group }) => ({
        ...group,
        lengthClass,
        inputCount,
      })),
    ),
  };
}

type GroupRow = z.output<typeof inputGroupRowSchema>;
type SourceRow = z.output<typeof sourceCountRowSchema>;

function sourceOf({
  indexed,
  unchanged,
  duplicate,
  quarantined,
  rejected,
  failed,
  ...row
}: SourceRow): IngestReport["sources"][number] {
  const letIn = indexed + unchanged + duplicate + failed;
  const { source, tier, input_count: document_count, relaxed_count, chunk_count, token_count } = row;
  return {
    source,
    tier,
    document_count,
    outcomes: { indexed, unchanged, duplicate, quarantined, rejected, failed },
    relaxed_count,
    fallback_fraction: letIn === 0 ? 0 : Math.round((relaxed_count / letIn) * 10_000) / 10_000,
    chunk_count,
    token_count,
  };
}

function languagesOf(groups: readonly GroupRow[]): IngestReport["languages"] {
  return [...sumBy(groups, (group) => group.language)]
    .map(([language, input_count]) => ({ language, input_count }))
    .sort((a, b) => (a.language < b.language ? -1 : 1));
}

function lengthsOf(groups: readonly GroupRow[]): IngestReport["lengths"] {
  return [...sumBy(groups, (group) => group.length_class)]
    .sort(([a], [b]) => a - b)
    .map(([power, input_count]) => ({
      characters_from: power < 0 ? 0 : 2 ** power,
      characters_below: power < 0 ? 1 : 2 ** (power + 1),
      input_count,
    }));
}

function sumBy<K>(groups: readonly GroupRow[], key: (group: GroupRow) => K): Map<K, number> {
  const sums = new Map<K, number>();
  for (const group of groups) sums.set(key(group), (sums.get(key(group)) ?? 0) + group.input_count);
  return sums;
}

/** A batch began when its first request was accepted, which the ulid says, and ended with its last commit. */
function timesOf(
  firstWalId: string | null,
  lastAppliedAt: string | null,
): Pick<IngestReport, "started_at" | "last_applied_at" | "duration_seconds"> {
  if (firstWalId === null || lastAppliedAt === null)
    return { started_at: null, last_applied_at: lastAppliedAt, duration_seconds: null };
  const startedAtMs = ulidTimeMs(firstWalId);
  return {
    started_at: new Date(startedAtMs).toISOString(),
    last_applied_at: lastAppliedAt,
    duration_seconds: (Date.parse(lastAppliedAt) - startedAtMs) / 1000,
  };
}
