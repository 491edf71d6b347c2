import { ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Sql } from "../../db/sql.ts";
import type { SessionDescription } from "../../session/session-log-api.ts";
import { appliedDocuments } from "../batches/applied-documents.ts";

/** The seq up to which every event is applied: over the pending WAL objects in order, as long as the ledger has all documents of each. */
export async function readEmbedded(
  sql: Sql,
  { tenantId, seqs, pending }: SessionDescription,
): Promise<Result<number, Problem>> {
  if (pending.length === 0) return ok(seqs.embedded);
  const walIds = pending.map(({ walId }) => walId);
  const applied = await appliedDocuments(sql, tenantId, walIds);
  if (!applied.ok) return applied;
  let embedded = seqs.embedded;
  for (const { walId, firstSeq, lastSeq } of pending) {
    if ((applied.value.get(walId) ?? 0) < lastSeq - firstSeq + 1) break;
    embedded = lastSeq;
  }
  return ok(embedded);
}
