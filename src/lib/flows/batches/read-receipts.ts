import type { R2Bucket } from "@cloudflare/workers-types";
import { receiptId } from "../../base/document-uid.ts";
import { isUlid } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Receipt, ReceiptProof } from "../../contract/receipt.ts";
import {
  recountDocument,
  type ReceiptRecord,
  receiptRowSchema,
  recountRowSchema,
  selectReceipt,
  selectReceipts,
} from "../../db/queries/receipts.ts";
import type { Row, Scope, Sql } from "../../db/sql.ts";
import { walKey } from "../../wal/wal-key.ts";
import { ownRows } from "../own-rows.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";

export interface ReceiptContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
}

/** A key bound to a user reads that user's receipts; any other key reads its tenant's. */
function scopeOf(principal: Principal): Scope {
  return { tenantId: principal.tenantId, userId: principal.userId === "" ? "*" : principal.userId };
}

/** Parts of a public receipt id `<wal_id>-<document_index>`, or undefined for anything else. */
export function parseReceiptId(id: string): { readonly walId: string; readonly documentIndex: number } | undefined {
  const [, walId = "", index = ""] = /^([0-9A-Z]{26})-(\d{1,5})$/.exec(id) ?? [];
  return isUlid(walId) && Number(index) < LIMITS.requestDocumentsMax
    ? { walId, documentIndex: Number(index) }
    : undefined;
}

/**
 * What became of one input; with `verify` also what the store holds of it now. An input that is accepted but not applied
 * yet is `queued`, which the WAL object proves. Errors: `not_found`.
 */
export async function readReceipt(
  context: ReceiptContext,
  principal: Principal,
  request: { readonly id: string; readonly verify: boolean },
): Promise<Result<Receipt, Problem>> {
  const parts = parseReceiptId(request.id);
  if (parts === undefined) return err({ code: "not_found" });
  const scope = scopeOf(principal);
  const rows = await context.sql.transaction(scope, [selectReceipt(scope, parts.walId, parts.documentIndex)], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownReceipts(scope, rows.value[0]);
  if (!own.ok) return own;
  const [record] = own.value;
  if (record === undefined) return queuedReceipt(context, principal, parts);
  if (!request.verify || record.document_uid === null) return ok(receiptOf(record));
  const proof = await proofOf(context, scope, record);
  return proof.ok ? ok({ ...receiptOf(record), proof: proof.value }) : proof;
}

/** One page of a batch's receipts in the order they were sent; `after` is the last receipt id of the page before. */
export async function listReceipts(
  context: Pick<ReceiptContext, "sql">,
  principal: Principal,
  page: {
    readonly batchTag: string;
    readonly outcome: string | null;
    readonly after: string | null;
    readonly rowsMax: number;
  },
): Promise<Result<readonly Receipt[], Problem>> {
  const after = page.after === null ? null : parseReceiptId(page.after);
  if (after === undefined) return err({ code: "parameter_invalid", pointer: "after" });
  const scope = scopeOf(principal);
  const rows = await context.sql.transaction(scope, [selectReceipts(scope, { ...page, after })], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownReceipts(scope, rows.value[0]);
  return own.ok ? ok(own.value.map(receiptOf)) : own;
}

function ownReceipts(scope: Scope, rows: readonly Row[] = []): Result<readonly ReceiptRecord[], Problem> {
  return ownRows(
    "receipts",
    scope,
    rows.map((row) => receiptRowSchema.parse(row)),
  );
}

async function queuedReceipt(
  context: ReceiptContext,
  principal: Principal,
  parts: { readonly walId: string; readonly documentIndex: number },
): Promise<Result<Receipt, Problem>> {
  // The WAL object does not say for whom its inputs are without being read whole: a user's key waits for the receipt.
  if (principal.userId !== "") return err({ code: "not_found" });
  try {
    const object = await context.bucket.head(walKey(principal.tenantId, parts.walId));
    const documentCount = Number(object?.customMetadata?.["documents"] ?? 0);
    if (object === null || parts.documentIndex >= documentCount) return err({ code: "not_found" });
    return ok({
      ...receiptOf(QUEUED),
      id: receiptId(parts.walId, parts.documentIndex),
      batch_tag: object.customMetadata?.["batch_tag"] ?? parts.walId,
      state: "queued",
      outcome: null,
      applied_at: null,
    });
  } catch {
    return err(storageUnavailable());
  }
}

const QUEUED: ReceiptRecord = {
  tenant_id: "",
  wal_id: "",
  document_index: 0,
  user_id: "",
  batch_tag: "",
  document_uid: null,
  document_id: "",
  outcome: "indexed",
  reasons: [],
  version_key: "",
  tier: "",
  chunk_count: 0,
  chunk_reused_count: 0,
  chunk_failed_count: 0,
  token_count: 0,
  applied_at: new Date(0),
};

function receiptOf(record: ReceiptRecord): Receipt {
  return {
    id: receiptId(record.wal_id, record.document_index),
    batch_tag: record.batch_tag,
    document_id: record.document_id,
    // '*': its user was erased.
    user_id: record.user_id === "" || record.user_id === "*" ? null : record.user_id,
    outcome: record.outcome,
    state: "ended",
    reasons: record.reasons,
    tier: record.tier === "" ? null : record.tier,
    chunk_count: record.chunk_count,
    chunk_reused_count: record.chunk_reused_count,
    chunk_failed_count: record.chunk_failed_count,
    token_count: record.token_count,
    content_sha256: record.content_hash ?? null,
    fingerprint: record.fingerprint ?? null,
    applied_at: record.applied_at.toISOString(),
  };
}

async function proofOf(
  context: Pick<ReceiptContext, "sql">,
  scope: Scope,
  record: ReceiptRecord,
): Promise<Result<ReceiptProof, Problem>> {
  const rows = await context.sql.transaction(scope, [recountDocument(scope, record.document_uid ?? "")], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownRows(
    "documents",
    scope,
    (rows.value[0] ?? []).map((row) => recountRowSchema.parse(row)),
  );
  if (!own.ok) return own;
  const [counted] = own.value;
  if (counted === undefined) {
    return ok({ holds: false, present: false, superseded: false, chunk_count: 0, stale_chunk_count: 0 });
  }
  const superseded = counted.version_key > record.version_key;
  const agrees = counted.chunk_count === counted.expected_chunk_count && counted.stale_chunk_count === 0;
  const asReceived = superseded || record.outcome !== "indexed" || counted.chunk_count === record.chunk_count;
  return ok({
    holds: agrees && asReceived,
    present: !counted.deleted,
    superseded,
    chunk_count: counted.chunk_count,
    stale_chunk_count: counted.stale_chunk_count,
  });
}
