/** What is different between two audits, and whether it can be. Pure. */
import type { Audit, AuditChange, AuditDiff, AuditFinding, TenantAudit } from "../../contract/audit.ts";
import { countOf, judgeCount } from "./judge-change.ts";

/** Changes that a difference lists: the alarming ones come first. */
const CHANGES_MAX = 5_000;

/** `before` null: there was no audit before, so that only findings and what is wrong by itself are alarming. */
export function diffAudits(before: Audit | null, after: Audit): AuditDiff {
  const changes = [
    ...after.unaudited.map(unauditedTenant),
    ...findingChanges(null, before?.findings ?? [], after.findings),
    ...(before === null ? [] : [...modelChanges(before, after), ...tenantChanges(before, after)]),
  ];
  const alarming = changes.filter(({ verdict }) => verdict === "alarming");
  const expected = changes.filter(({ verdict }) => verdict === "expected");
  return {
    schema_version: 1,
    day: after.day,
    previous_day: before?.day ?? null,
    alarming_count: alarming.length,
    expected_count: expected.length,
    changes: [...alarming, ...expected].slice(0, CHANGES_MAX),
  };
}

function findingChanges(
  tenantId: string | null,
  before: readonly AuditFinding[],
  after: readonly AuditFinding[],
): readonly AuditChange[] {
  const findingCount = (findings: readonly AuditFinding[], check: string): number =>
    findings.find((finding) => finding.check === check)?.count ?? 0;
  const checks = new Set([...before, ...after].map(({ check }) => check));
  return [...checks].sort().map((check) => {
    const counts = { before: findingCount(before, check), after: findingCount(after, check) };
    const named = { tenant_id: tenantId, name: `finding ${check}`, ...counts };
    if (counts.after === 0) return { verdict: "expected", ...named, reason: "it was mended" };
    const reason = counts.before === 0 ? "it was found for the first time" : "it is found still";
    return { verdict: "alarming", ...named, reason };
  });
}

function modelChanges(before: Audit, after: Audit): readonly AuditChange[] {
  const known = new Map(before.models.map((model) => [model.fingerprint, model.state]));
  const found = new Map(after.models.map((model) => [model.fingerprint, model.state]));
  return [...new Set([...known.keys(), ...found.keys()])].sort().flatMap((fingerprint): readonly AuditChange[] => {
    const states = { before: known.get(fingerprint) ?? null, after: found.get(fingerprint) ?? null };
    if (states.before === states.after) return [];
    const named = { tenant_id: null, name: `model ${fingerprint}`, ...states };
    if (states.before === null) return [{ verdict: "alarming", ...named, reason: "it was not there before" }];
    if (states.after === null) return [{ verdict: "alarming", ...named, reason: "it is not there any more" }];
    const isActiveChange = states.before === "active" || states.after === "active";
    return [
      isActiveChange
        ? { verdict: "alarming", ...named, reason: "searches go by another model" }
        : { verdict: "expected", ...named, reason: "its state was changed" },
    ];
  });
}

function tenantChanges(before: Audit, after: Audit): readonly AuditChange[] {
  const known = new Map(before.tenants.map((tenant) => [tenant.tenant_id, tenant]));
  const found = new Map(after.tenants.map((tenant) => [tenant.tenant_id, tenant]));
  return [...new Set([...known.keys(), ...found.keys()])].sort().flatMap((tenantId): readonly AuditChange[] => {
    const [old, tenant] = [known.get(tenantId), found.get(tenantId)];
    // One of the two audits has it in its totals alone.
    if (tenant === undefined) return [];
    if (old === undefined)
      return [
        ...(before.left_out_count > 0 ? [] : [newTenant(tenant)]),
        ...findingChanges(tenantId, [], tenant.findings),
      ];
    return [
      ...countChanges(old, tenant, before.started_at),
      ...findingChanges(tenantId, old.findings, tenant.findings),
    ];
  });
}

function unauditedTenant({ tenant_id: tenantId, code }: Audit["unaudited"][number]): AuditChange {
  const named = { tenant_id: tenantId, name: "audit", before: null, after: code };
  return { verdict: "alarming", ...named, reason: "it could not be asked" };
}

function newTenant({ tenant_id: tenantId, counts }: TenantAudit): AuditChange {
  const after = counts["documents"] ?? 0;
  return { verdict: "expected", tenant_id: tenantId, name: "documents", before: null, after, reason: "a new tenant" };
}

function countChanges(before: TenantAudit, after: TenantAudit, since: string): readonly AuditChange[] {
  const names = new Set([...Object.keys(before.counts), ...Object.keys(after.counts)]);
  return [...names].sort().flatMap((name): readonly AuditChange[] => {
    const counts = { before: countOf(before, name), after: countOf(after, name) };
    if (counts.before === counts.after) return [];
    return [{ ...judgeCount(name, { before, after, since }), tenant_id: after.tenant_id, name, ...counts }];
  });
}
