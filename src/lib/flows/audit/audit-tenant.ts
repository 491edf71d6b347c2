/** The audit of one tenant, in pages: what is counted and checked, step after step. */
import { err, ok, type Result } from "../../base/result.ts";
import { listPages } from "../../bucket/list-objects.ts";
import type { TenantAudit } from "../../contract/audit.ts";
import {
  chunkCountsSchema,
  countChunksPage,
  countDocumentsPage,
  documentCountsSchema,
  lastErasureRowSchema,
  namedCountSchema,
  selectLastErasure,
  selectTableCounts,
} from "../../db/queries/audit.ts";
import { storeVariantSchema } from "../../db/queries/models.ts";
import { SELECT_STORE_VARIANT } from "../../db/queries/orphan-rows.ts";
import { type Check, type CheckFailure, nextOf, readPage, readRows } from "../orphans/check.ts";
import { KeyWindows } from "../orphans/key-windows.ts";
import { BATCH_CHECK, SCOPE_CHECK } from "../orphans/row-checks.ts";
import type { AuditContext, ModelRow } from "./context.ts";
import { SAMPLE_PAGE_ROWS, samplePage, sampleSize } from "./sample-documents.ts";
import { addCounts, addFinding, boundSources } from "./tenant-tally.ts";

export const AUDIT_STEPS = ["tables", "documents", "chunks", "batches", "scopes", "sample"] as const;
export type AuditStep = (typeof AUDIT_STEPS)[number];

/** Rows of one statement. */
const DOCUMENTS_PER_PAGE = 5_000;
const CHUNKS_PER_PAGE = 5_000;
/** For the counts of whole tables, milliseconds: index scans of some millions of rows. */
const TABLES_TIMEOUT_MS = 60_000;
/**
 * How far the length of a unit vector may be from 1. A component keeps 11 significant bits as halfvec and five decimal digits before that, so that the
 * length is off by 0.0005 at the most; four times as much is no rounding.
 */
const NORM_TOLERANCE = 0.002;

export interface StepContext extends AuditContext {
  readonly registry: readonly ModelRow[];
}

/** One page of a step; returns where its next one begins, undefined behind the last. Throws when R2 fails. */
export function auditPage(
  context: StepContext,
  audit: TenantAudit,
  step: AuditStep,
  after: string,
): Promise<Result<string | undefined, CheckFailure>> {
  switch (step) {
    case "tables":
      return countTables(context, audit);
    case "documents":
      return countDocuments(context, audit, after);
    case "chunks":
      return countChunks(context, audit, after);
    case "batches":
      return recount(context, audit, BATCH_CHECK, after);
    case "scopes":
      return recount(context, audit, SCOPE_CHECK, after);
    case "sample":
      return sample(context, audit);
  }
}

async function countTables(
  { sql, bucket }: StepContext,
  audit: TenantAudit,
): Promise<Result<string | undefined, CheckFailure>> {
  const { tenant_id: tenantId } = audit;
  const asked = [selectTableCounts(tenantId), selectLastErasure(tenantId)];
  const rows = await sql.transaction({ tenantId, userId: "*" }, asked, {
    readOnly: true,
    timeoutMs: TABLES_TIMEOUT_MS,
  });
  if (!rows.ok) return err({ code: rows.error.code });
  addCounts(
    audit.counts,
    (rows.value[0] ?? []).map((row) => namedCountSchema.parse(row)).filter(({ count }) => count > 0),
  );
  audit.last_erased_at = lastErasureRowSchema.parse(rows.value[1]?.[0]).erased_at?.toISOString() ?? null;
  for await (const page of listPages(bucket, { prefix: `dropped_batches/${tenantId}/` }))
    if (page.length > 0) addCounts(audit.counts, [{ name: "dropped_batches", count: page.length }]);
  return ok(undefined);
}

async function countDocuments(
  { sql }: StepContext,
  audit: TenantAudit,
  after: string,
): Promise<Result<string | undefined, CheckFailure>> {
  const { tenant_id: tenantId } = audit;
  const statement = countDocumentsPage(tenantId, { after, rowsMax: DOCUMENTS_PER_PAGE });
  const page = await readPage({ sql, tenantId }, statement, documentCountsSchema);
  if (!page.ok) return page;
  addCounts(audit.counts, page.value.counts);
  addCounts(audit.counts, page.value.sources);
  addFinding(audit, "document_chunk_count", page.value.off);
  const next = nextOf(page.value, DOCUMENTS_PER_PAGE);
  if (next === undefined) boundSources(audit.counts);
  return ok(next);
}

async function countChunks(
  { sql }: StepContext,
  audit: TenantAudit,
  after: string,
): Promise<Result<string | undefined, CheckFailure>> {
  const look = { sql, tenantId: audit.tenant_id };
  const variant = await readRows(look, SELECT_STORE_VARIANT);
  if (!variant.ok) return variant;
  const kept = storeVariantSchema.parse(variant.value[0]?.["variant"]);
  const bounds = { after, rowsMax: CHUNKS_PER_PAGE, normTolerance: NORM_TOLERANCE };
  const page = await readPage(look, countChunksPage(audit.tenant_id, kept, bounds), chunkCountsSchema);
  if (!page.ok) return page;
  const { counts, found, row_count: count } = page.value;
  addCounts(audit.counts, [...counts, ...(count === 0 ? [] : [{ name: "chunks", count }])]);
  for (const { name, count: foundCount, subjects } of found) addFinding(audit, name, subjects, foundCount);
  return ok(nextOf(page.value, CHUNKS_PER_PAGE));
}

/** The counters that the orphan check holds against their rows too: it says which, the audit keeps how many. */
async function recount(
  context: StepContext,
  audit: TenantAudit,
  check: Check,
  after: string,
): Promise<Result<string | undefined, CheckFailure>> {
  const { sql, bucket, clock } = context;
  const objectsUnder = (prefix: string): KeyWindows => new KeyWindows(bucket, prefix);
  const look = { sql, bucket, clock, tenantId: audit.tenant_id, droppedAtMs: undefined, objectsUnder };
  const page = await check.page(look, after);
  if (!page.ok) return page;
  for (const { kind, label } of page.value.findings)
    if (kind === "batch_counters" || kind === "batch_ledger" || kind === "scope_counters")
      addFinding(audit, kind, [label]);
  return ok(page.value.next);
}

async function sample(context: StepContext, audit: TenantAudit): Promise<Result<string | undefined, CheckFailure>> {
  const wanted = sampleSize(audit.counts["documents.live"] ?? 0) - audit.sample.document_count;
  const page = await samplePage(context, audit, Math.min(SAMPLE_PAGE_ROWS, wanted));
  if (!page.ok) return page;
  // The place is in the audit itself: the next night goes on from it.
  return ok(page.value.isEnd || wanted <= SAMPLE_PAGE_ROWS ? undefined : audit.sample.after);
}
