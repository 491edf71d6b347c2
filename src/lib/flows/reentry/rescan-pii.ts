import { err, ok, type Result } from "../../base/result.ts";
import type { RescanReply, RescanRequest } from "../../contract/pii-rescan.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { PiiCounts } from "../../contract/wal-record.ts";
import {
  countStaleDocuments,
  markSearched,
  selectStaleDocuments,
  staleCountRowSchema,
  staleDocumentRowSchema,
} from "../../db/queries/pii-rescan.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import { PII_RULES_VERSION } from "../../pii/find-pii.ts";
import type { PiiKeyring } from "../../pii/keyring.ts";
import { needsRescan } from "../../pii/needs-rescan.ts";
import type { PackReadContext } from "../packs/context.ts";
import { problemOfSql } from "../problem-of.ts";
import { sumCounts } from "../judging/redact-metadata.ts";
import { redactStored, reenterStored, type Redaction } from "./reenter-stored.ts";
import { sealingKey } from "../judging/sealing-key.ts";
import type { StoreContext } from "../ingest/store-request.ts";

export interface RescanContext extends StoreContext, PackReadContext {
  readonly newUlid: () => string;
  readonly piiKeys?: PiiKeyring | undefined;
}

/** Documents of one page that older rules saw, and what they are redacted by. */
interface StalePage {
  readonly documents: readonly StaleDocument[];
  readonly totalCount: number | null;
  readonly redaction: Redaction;
}

type StaleDocument = ReturnType<typeof staleDocumentRowSchema.parse>;

/**
 * Applies the rules and the policy of now to one page of the tenant's documents that older rules saw. What they change comes again,
 * redacted, as a new generation right after its version: a version that its client sends meanwhile still wins. Repeating a page is harmless;
 * a dry run changes nothing. Errors: `pii_key_missing` where the policy wants sealed placeholders and no key is there.
 */
export async function rescanPii(
  context: RescanContext,
  principal: Principal,
  request: RescanRequest,
): Promise<Result<RescanReply, Problem>> {
  const { tenantId } = principal;
  const page = await readPage(context, tenantId, request);
  if (!page.ok) return page;
  const { documents, totalCount, redaction } = page.value;
  const clean: StaleDocument[] = [];
  const tally = { redacted: 0, numbered: 0, failed: 0 };
  let counts: PiiCounts = {};
  for (const document of documents.filter((each) => needsRescan(each.pii_version))) {
    const outcome = await rescanDocument(context, document, { redaction, isDryRun: request.dry_run });
    if (outcome.kind === "clean") clean.push(document);
    else if (outcome.kind === "failed") tally.failed += 1;
    else {
      tally.redacted += 1;
      if (outcome.isNumberedForSize) tally.numbered += 1;
      counts = sumCounts(counts, outcome.counts);
    }
  }
  if (clean.length > 0 && !request.dry_run) {
    const rows = clean.map((each) => ({ documentUid: each.document_uid, versionKey: each.version_key }));
    const marked = await context.sql.transaction({ tenantId, userId: "*" }, [
      markSearched(tenantId, PII_RULES_VERSION, rows),
    ]);
    if (!marked.ok) return err(problemOfSql(marked.error));
  }
  return ok({
    dry_run: request.dry_run,
    rules_version: PII_RULES_VERSION,
    total_count: totalCount,
    scanned_count: documents.length,
    unchanged_count: clean.length,
    redacted_count: tally.redacted,
    numbered_count: tally.numbered,
    failed_count: tally.failed,
    pii_counts: counts,
    next: documents.length < request.limit ? null : (documents.at(-1)?.document_uid ?? null),
  });
}

async function readPage(
  context: RescanContext,
  tenantId: string,
  request: RescanRequest,
): Promise<Result<StalePage, Problem>> {
  const from = { rulesVersion: PII_RULES_VERSION, afterUid: request.after };
  const statements = [
    selectStaleDocuments(tenantId, { ...from, rowsMax: request.limit }),
    selectPolicy(tenantId),
    ...(request.with_total ? [countStaleDocuments(tenantId, from)] : []),
  ];
  const rows = await context.sql.transaction({ tenantId, userId: "*" }, statements, { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const [stale = [], policies = [], counted = []] = rows.value;
  const { pii: policy } = policyRowSchema.parse(policies[0] ?? { policy: {}, policy_version: 0 }).policy;
  const key = await sealingKey(context.piiKeys, tenantId, policy);
  if (!key.ok) return key;
  return ok({
    documents: stale.map((row) => staleDocumentRowSchema.parse(row)),
    totalCount: request.with_total ? staleCountRowSchema.parse(counted[0]).stale_count : null,
    redaction: { policy, key: key.value },
  });
}

type Outcome =
  | { readonly kind: "clean" }
  | { readonly kind: "failed" }
  | { readonly kind: "redacted"; readonly isNumberedForSize: boolean; readonly counts: PiiCounts };

async function rescanDocument(
  context: RescanContext,
  document: StaleDocument,
  { redaction, isDryRun }: { readonly redaction: Redaction; readonly isDryRun: boolean },
): Promise<Outcome> {
  const { wal_key: walKey, document_index: documentIndex, version_key: versionKey } = document;
  const version = { walKey, documentIndex, versionKey };
  const again = await redactStored(context, version, redaction);
  if (!again.ok) return { kind: "failed" };
  if (!again.value.isChanged) return { kind: "clean" };
  const { isNumberedForSize, counts } = again.value;
  if (isDryRun) return { kind: "redacted", isNumberedForSize, counts };
  const sent = await reenterStored(context, version, { again: again.value, cause: "rescanned" });
  return sent.ok ? { kind: "redacted", isNumberedForSize, counts } : { kind: "failed" };
}
