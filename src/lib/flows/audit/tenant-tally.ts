/** What an audit adds up of one tenant. Bounded: names are few but for sources, of which the most frequent are kept. */
import type { AuditCheck, AuditFinding, TenantAudit } from "../../contract/audit.ts";

/** Sources of a tenant that are named. */
const SOURCES_MAX = 50;
/** Ids that a finding names. */
const SUBJECTS_MAX = 10;
const SOURCE_PREFIX = "source.";
/** Documents whose source is none of those that are named. */
const OTHER_SOURCES = "sources_other";

export function emptyAudit(tenantId: string, sampleAfter: string): TenantAudit {
  return {
    tenant_id: tenantId,
    counts: {},
    findings: [],
    last_erased_at: null,
    sample: { after: sampleAfter, document_count: 0, chunk_count: 0, not_recomputable_count: 0 },
  };
}

/** Adds counts by name. */
export function addCounts(
  counts: Record<string, number>,
  added: readonly { readonly name: string; readonly count: number }[],
): void {
  for (const { name, count } of added) counts[name] = (counts[name] ?? 0) + count;
}

export function addFinding(
  audit: { readonly findings: AuditFinding[] },
  check: AuditCheck,
  subjects: readonly string[],
  count = subjects.length,
): void {
  if (count === 0) return;
  const known = audit.findings.find((finding) => finding.check === check);
  if (known === undefined) audit.findings.push({ check, count, subjects: subjects.slice(0, SUBJECTS_MAX) });
  else {
    known.count += count;
    known.subjects = [...known.subjects, ...subjects].slice(0, SUBJECTS_MAX);
  }
}

/** Keeps the sources with most documents, those of equal number by their names; the others become one number. */
export function boundSources(counts: Record<string, number>): void {
  const sources = Object.keys(counts).filter((name) => name.startsWith(SOURCE_PREFIX));
  const ranked = sources.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || (a < b ? -1 : 1));
  for (const name of ranked.slice(SOURCES_MAX)) {
    counts[OTHER_SOURCES] = (counts[OTHER_SOURCES] ?? 0) + (counts[name] ?? 0);
    delete counts[name];
  }
}
