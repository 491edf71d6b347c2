import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../base/result.ts";
import type { RescanReply, RescanRequest } from "../contract/pii-rescan.ts";
import type { Principal } from "../contract/principal.ts";
import type { Problem } from "../contract/problem.ts";
import type { PiiCounts } from "../contract/wal-record.ts";
import { markSearched, selectStaleDocuments, staleDocumentRowSchema } from "../db/queries/pii-rescan.ts";
import { policyRowSchema, selectPolicy } from "../db/queries/tenants.ts";
import type { Sql } from "../db/sql.ts";
import { PII_RULES_VERSION } from "../pii/find-pii.ts";
import { needsRescan } from "../pii/needs-rescan.ts";
import { problemOfSql } from "./problem-of.ts";
import { sumCounts } from "./redact-metadata.ts";
import { redactStored, reenterStored } from "./reenter-stored.ts";
import type { StoreContext } from "./store-request.ts";

export interface RescanContext extends StoreContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly newUlid: () => string;
}

/**
 * Applies the rules and the policy of now to one page of the tenant's documents that older rules saw. What they change comes again,
 * redacted, as a new generation right after its version: a version that its client sends meanwhile still wins. Repeating a page is harmless.
 */
export async function rescanPii(
  context: RescanContext,
  principal: Principal,
  request: RescanRequest,
): Promise<Result<RescanReply, Problem>> {
  const { tenantId } = principal;
  const scope = { tenantId, userId: "*" };
  const page = { rulesVersion: PII_RULES_VERSION, afterUid: request.after, rowsMax: request.limit };
  const rows = await context.sql.transaction(scope, [selectStaleDocuments(tenantId, page), selectPolicy(tenantId)], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const found = (rows.value[0] ?? []).map((row) => staleDocumentRowSchema.parse(row));
  const { pii } = policyRowSchema.parse(rows.value[1]?.[0] ?? { policy: {}, policy_version: 0 }).policy;
  const clean: { documentUid: string; versionKey: string }[] = [];
  const tally = { redacted: 0, failed: 0 };
  let counts: PiiCounts = {};
  for (const row of found.filter((each) => needsRescan(each.pii_version))) {
    const version = { walKey: row.wal_key, documentIndex: row.document_index, versionKey: row.version_key };
    const again = await redactStored(context.bucket, version, pii);
    if (again.ok && !again.value.isChanged) {
      clean.push({ documentUid: row.document_uid, versionKey: row.version_key });
      continue;
    }
    const sent = again.ok ? await reenterStored(context, version, { again: again.value, cause: "rescanned" }) : again;
    tally[sent.ok ? "redacted" : "failed"] += 1;
    if (sent.ok && again.ok) counts = sumCounts(counts, again.value.counts);
  }
  if (clean.length > 0) {
    const marked = await context.sql.transaction(scope, [markSearched(tenantId, PII_RULES_VERSION, clean)]);
    if (!marked.ok) return err(problemOfSql(marked.error));
  }
  return ok({
    rules_version: PII_RULES_VERSION,
    scanned_count: found.length,
    unchanged_count: clean.length,
    redacted_count: tally.redacted,
    failed_count: tally.failed,
    pii_counts: counts,
    next: found.length < request.limit ? null : (found.at(-1)?.document_uid ?? null),
  });
}
