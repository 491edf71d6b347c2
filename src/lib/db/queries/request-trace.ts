import { z } from "zod";
import type { Statement } from "../sql.ts";

/** WAL ids of a batch in the ledger, the first ones: those of batches without markers, and those whose object is gone. */
export function selectBatchWalIds(tenantId: string, batchTag: string, rowsMax: number): Statement {
  return {
    text: `select tenant_id, wal_id from wal_ledger where tenant_id = $1 and batch_tag = $2
           group by tenant_id, wal_id order by wal_id limit $3::int`,
    params: [tenantId, batchTag, rowsMax],
  };
}

export const walIdRowSchema = z.object({ tenant_id: z.string(), wal_id: z.string() });

export function selectTracedRanges(tenantId: string, walIds: readonly string[], rowsMax: number): Statement {
  return {
    text: `select tenant_id, wal_id, range_index, batch_tag, state, document_count, applied_at from wal_ledger
           where tenant_id = $1 and wal_id = any($2::text[]) order by applied_at, wal_id, range_index limit $3::int`,
    params: [tenantId, walIds, rowsMax],
  };
}

export const tracedRangeRowSchema = z.object({
  tenant_id: z.string(),
  wal_id: z.string(),
  range_index: z.int(),
  batch_tag: z.string(),
  state: z.enum(["applied", "dead"]),
  document_count: z.int(),
  applied_at: z.date(),
});

export function selectTracedOutcomes(tenantId: string, walIds: readonly string[]): Statement {
  return {
    text: `select tenant_id, wal_id, outcome, count(*)::int as input_count from receipts
           where tenant_id = $1 and wal_id = any($2::text[]) group by tenant_id, wal_id, outcome`,
    params: [tenantId, walIds],
  };
}

export const tracedOutcomeRowSchema = z.object({
  tenant_id: z.string(),
  wal_id: z.string(),
  outcome: z.string(),
  input_count: z.int(),
});

export function selectTracedDeadLetters(tenantId: string, walIds: readonly string[], rowsMax: number): Statement {
  return {
    text: `select tenant_id, wal_id, range_index, code, created_at, resolved_at from dead_letters
           where tenant_id = $1 and wal_id = any($2::text[]) order by created_at, dead_letter_id limit $3::int`,
    params: [tenantId, walIds, rowsMax],
  };
}

export const tracedDeadLetterRowSchema = z.object({
  tenant_id: z.string(),
  wal_id: z.string(),
  range_index: z.int().nullable(),
  code: z.string(),
  created_at: z.date(),
  resolved_at: z.date().nullable(),
});

/** Decisions on quarantined inputs, those of one request and moment together. Their ids begin with the WAL id. */
export function selectTracedDecisions(tenantId: string, walIds: readonly string[], rowsMax: number): Statement {
  return {
    text: `select tenant_id, left(quarantine_id, 26) as wal_id, state, decided_at, count(*)::int as input_count from quarantine
           where tenant_id = $1 and left(quarantine_id, 26) = any($2::text[]) and decided_at is not null
           group by tenant_id, left(quarantine_id, 26), state, decided_at order by decided_at limit $3::int`,
    params: [tenantId, walIds, rowsMax],
  };
}

export const tracedDecisionRowSchema = z.object({
  tenant_id: z.string(),
  wal_id: z.string(),
  state: z.string(),
  decided_at: z.date(),
  input_count: z.int(),
});

/** When the reports of batches were written for the last time. */
export function selectTracedReports(tenantId: string, artifactIds: readonly string[]): Statement {
  return {
    text: `select tenant_id, artifact_id, updated_at from artifacts
           where tenant_id = $1 and artifact_id = any($2::text[]) and kind = 'report' order by updated_at`,
    params: [tenantId, artifactIds],
  };
}

export const tracedReportRowSchema = z.object({
  tenant_id: z.string(),
  artifact_id: z.string(),
  updated_at: z.date(),
});
