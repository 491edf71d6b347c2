import { err, ok, type Result } from "../../base/result.ts";
import type { DriftReport } from "../../contract/drift.ts";
import type { TenantPolicy } from "../../contract/policy.ts";
import type { Problem } from "../../contract/problem.ts";
import { profileRowSchema, selectProfiles } from "../../db/queries/batch-profiles.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import type { Sql } from "../../db/sql.ts";
import { batchProfileSchema, sumProfiles, type BatchProfile } from "../../drift/batch-profile.ts";
import { compareProfiles } from "../../drift/compare-profiles.ts";
import { problemOfSql } from "../problem-of.ts";

interface BatchName {
  readonly tenantId: string;
  readonly batchTag: string;
}

interface Profiled {
  readonly batchTag: string;
  readonly documentCount: number;
  readonly profile: BatchProfile;
}

/** How a finished batch differs from those before it, by the tenant's thresholds. Errors: `not_found` before its report is written. */
export async function readDrift(sql: Sql, batch: BatchName): Promise<Result<DriftReport, Problem>> {
  const scope = { tenantId: batch.tenantId, userId: "*" };
  const policy = await sql.transaction(scope, [selectPolicy(batch.tenantId)], { readOnly: true });
  if (!policy.ok) return err(problemOfSql(policy.error));
  const { drift } = policyRowSchema.parse(policy.value[0]?.[0] ?? { policy: {}, policy_version: 0 }).policy;
  const wanted = {
    batchTag: batch.batchTag,
    documentsMin: drift.documents_min,
    baselineBatches: drift.baseline_batches,
  };
  const rows = await sql.transaction(scope, [selectProfiles(batch.tenantId, wanted)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const profiles = (rows.value[0] ?? []).map((row) => {
    const { batch_tag: batchTag, document_count: documentCount, own, profile } = profileRowSchema.parse(row);
    return { batchTag, documentCount, own, profile: batchProfileSchema.parse(profile) };
  });
  const now = profiles.find((each) => each.own);
  if (now === undefined) return err({ code: "not_found", detail: "the batch is unknown, or not done yet" });
  return ok(reportOf(now, { before: profiles.filter((each) => !each.own), drift }));
}

function reportOf(
  now: Profiled,
  { before, drift }: { readonly before: readonly Profiled[]; readonly drift: TenantPolicy["drift"] },
): DriftReport {
  const previous = comparisonOf(now, before.slice(0, 1), drift);
  const baseline = comparisonOf(now, before, drift);
  return {
    batch_tag: now.batchTag,
    document_count: now.documentCount,
    has_drifted: [previous, baseline].some((each) => each.dimensions.some(({ verdict }) => verdict === "drifted")),
    previous,
    baseline,
  };
}

function comparisonOf(
  now: Profiled,
  before: readonly Profiled[],
  drift: TenantPolicy["drift"],
): DriftReport["previous"] {
  const sum = sumProfiles(before.map((each) => each.profile));
  return {
    batch_tags: before.map((each) => each.batchTag),
    document_count: before.reduce((total, each) => total + each.documentCount, 0),
    dimensions:
      before.length === 0
        ? []
        : compareProfiles(now.profile, sum, drift).map((each) => ({ ...each, changes: [...each.changes] })),
  };
}
