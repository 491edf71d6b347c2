import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { appliedDocumentsRowSchema, selectAppliedDocuments } from "../../db/queries/search-writes.ts";
import type { Sql } from "../../db/sql.ts";
import type { SessionDescription } from "../../session/session-log-api.ts";
import { problemOfSql } from "../problem-of.ts";

/** The seq up to which every event is applied: over the pending WAL objects in order, as long as the ledger has all documents of each. */
export async function readEmbedded(
  sql: Sql,
  { tenantId, seqs, pending }: SessionDescription,
): Promise<Result<number, Problem>> {
  if (pending.length === 0) return ok(seqs.embedded);
  const walIds = pending.map(({ walId }) => walId);
  const read = await sql.transaction({ tenantId, userId: "" }, [selectAppliedDocuments(tenantId, walIds)], {
    readOnly: true,
  });
  if (!read.ok) return err(problemOfSql(read.error));
  const rows = (read.value[0] ?? []).map((row) => appliedDocumentsRowSchema.parse(row));
  const applied = new Map(rows.map((row) => [row.wal_id, row.document_count]));
  let embedded = seqs.embedded;
  for (const { walId, firstSeq, lastSeq } of pending) {
    if ((applied.get(walId) ?? 0) < lastSeq - firstSeq + 1) break;
    embedded = lastSeq;
  }
  return ok(embedded);
}
