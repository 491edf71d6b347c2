import { sha256HexSync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { markFindings, type MarkName, markRowSchema, selectMarks } from "../../db/queries/orphan-marks.ts";
import type { CheckFailure, TenantLook } from "./check.ts";
import type { Finding } from "./finding.ts";

/** Findings of one page that are marked: what goes beyond them is counted, and marked by a later round. */
const MARKED_MAX = 1_000;

/**
 * Marks findings as seen now (or, where `isDryRun`, only reads their marks), and returns those that were seen an hour ago or longer already: no writer is in
 * the middle of them.
 */
export async function markedFindings(
  { sql, tenantId }: Pick<TenantLook, "sql" | "tenantId">,
  findings: readonly Finding[],
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<Result<readonly Finding[], CheckFailure>> {
  const marked = findings.slice(0, MARKED_MAX);
  if (marked.length === 0) return ok([]);
  const names = marked.map(markOf);
  const statement = isDryRun ? selectMarks(tenantId, names) : markFindings(tenantId, names);
  const rows = await sql.transaction({ tenantId, userId: "*" }, [statement], { readOnly: isDryRun });
  if (!rows.ok) return err({ code: rows.error.code });
  const confirmed = new Set<string>();
  for (const row of rows.value[0] ?? []) {
    const { kind, subject_hash: subjectHash, is_confirmed: isConfirmed } = markRowSchema.parse(row);
    if (isConfirmed) confirmed.add(`${kind}/${subjectHash}`);
  }
  return ok(
    marked.filter((finding) => {
      const { kind, subjectHash } = markOf(finding);
      return confirmed.has(`${kind}/${subjectHash}`);
    }),
  );
}

function markOf({ kind, subject }: Finding): MarkName {
  return { kind, subjectHash: sha256HexSync(subject) };
}
