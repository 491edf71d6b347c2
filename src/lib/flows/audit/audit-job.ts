import { MINUTE_MS } from "../../base/durations.ts";
import type { Audit } from "../../contract/audit.ts";
import { AUDIT_CHECKS } from "../../contract/audit.ts";
import { selectModels } from "../../db/queries/models.ts";
import type { Sql } from "../../db/sql.ts";
import type { Job, JobGauge, JobRun } from "../jobs/job.ts";
import { knownTenants } from "../tenants/known-tenants.ts";
import {
  auditKey,
  type AuditPart,
  diffKey,
  diffTextKey,
  listAudits,
  readAudit,
  readPart,
  removePart,
  writeJson,
  writePart,
  writeText,
} from "./audit-objects.ts";
import { AUDIT_STEPS, auditPage, type StepContext } from "./audit-tenant.ts";
import { type AuditContext, type ModelRow, modelRowSchema } from "./context.ts";
import { diffAudits } from "./diff-audits.ts";
import { diffText } from "./diff-text.ts";
import { addCounts, addFinding, emptyAudit } from "./tenant-tally.ts";

interface AuditReport {
  readonly day: string;
  /** Tenants of the audit so far. */
  readonly tenantCount: number;
  readonly findingCount: number;
  /** null while the audit is not whole. */
  readonly alarmingCount: number | null;
  readonly expectedCount: number | null;
  /** Tenants that could not be asked, at most `UNAUDITED_MAX`. */
  readonly unaudited: Audit["unaudited"];
}

/** Tenants with an entry of their own, a few kilobytes each: an audit is read whole to be compared. Others are in the totals. */
const TENANTS_MAX = 2_000;
/** Tenants that could not be asked and are named. */
const UNAUDITED_MAX = 100;
/** How often the part is kept, milliseconds of work. */
const KEEP_EVERY_MS = 20_000;

/** Counts everything, checks what can be checked, and says what is different from the audit before. */
export const AUDIT_JOB: Job<AuditContext, AuditReport> = {
  name: "audit",
  summary: "counts and checks everything, and compares it with the audit before",
  cron: "0 4 * * *",
  timeMsMax: 10 * MINUTE_MS,
  async run(context, run) {
    const days = (await listAudits(context.bucket)).map(({ day }) => day);
    const registry = await readRegistry(context.sql);
    if (registry === null) throw new Error("the registry of models cannot be read");
    const today = new Date(context.clock()).toISOString().slice(0, 10);
    const kept = run.isDryRun ? null : await unfinishedPart(context.bucket, today, days);
    const day = kept?.audit.day ?? today;
    const previousDay = days.find((each) => each < day);
    const previous = previousDay === undefined ? null : await readAudit(context.bucket, previousDay);
    const part = kept ?? (await beginPart(context, day, registry));
    const isWhole = await walk({ ...context, registry }, run, part, previous);
    if (!isWhole) {
      if (!run.isDryRun) await writePart(context.bucket, part);
      return ended(part, null);
    }
    const audit: Audit = { ...part.audit, finished_at: new Date(context.clock()).toISOString() };
    const diff = diffAudits(previous, audit);
    if (!run.isDryRun) {
      await writeJson(context.bucket, auditKey(day), audit);
      await writeJson(context.bucket, diffKey(day), diff);
      await writeText(context.bucket, diffTextKey(day), diffText(diff));
      await removePart(context.bucket);
    }
    return ended(part, { alarming: diff.alarming_count, expected: diff.expected_count });
  },
};

type Outcome = Awaited<ReturnType<(typeof AUDIT_JOB)["run"]>>;

function ended(
  { audit }: AuditPart,
  changes: { readonly alarming: number; readonly expected: number } | null,
): Outcome {
  const findingCount = audit.findings.reduce((sum, { count }) => sum + count, 0);
  const report = {
    day: audit.day,
    tenantCount: audit.tenant_count,
    findingCount,
    alarmingCount: changes?.alarming ?? null,
    expectedCount: changes?.expected ?? null,
    unaudited: audit.unaudited,
  };
  const outcome = audit.unaudited.length > 0 ? "failed" : changes === null ? "partial" : "done";
  return { report, outcome, cursor: {}, gauges: changes === null ? [] : gaugesOf(audit, changes.alarming) };
}

/** What an earlier run left. Of a former day that has its audit it is what two runs at once leave, and nothing goes on with it. */
async function unfinishedPart(
  bucket: AuditContext["bucket"],
  today: string,
  days: readonly string[],
): Promise<AuditPart | null> {
  const part = await readPart(bucket);
  return part !== null && part.audit.day !== today && days.includes(part.audit.day) ? null : part;
}

function gaugesOf(audit: AuditPart["audit"], alarmingCount: number): readonly JobGauge[] {
  const countOf = (check: string): number => audit.findings.find((finding) => finding.check === check)?.count ?? 0;
  return [
    ...AUDIT_CHECKS.map((check) => ({ name: "audit_findings", labels: { check }, value: countOf(check) }) as const),
    { name: "audit_alarming_changes", labels: {}, value: alarmingCount },
    { name: "audit_last_timestamp_seconds", labels: {}, value: Date.parse(audit.started_at) / 1000 },
  ];
}

async function readRegistry(sql: Sql): Promise<readonly ModelRow[] | null> {
  const rows = await sql.transaction({ tenantId: "", userId: "" }, [selectModels()], { readOnly: true });
  return rows.ok ? (rows.value[0] ?? []).map((row) => modelRowSchema.parse(row)) : null;
}

async function beginPart(context: AuditContext, day: string, registry: readonly ModelRow[]): Promise<AuditPart> {
  const audit: AuditPart["audit"] = {
    schema_version: 1,
    day,
    started_at: new Date(context.clock()).toISOString(),
    tenant_count: 0,
    unaudited: [],
    left_out_count: 0,
    totals: {},
    findings: [],
    models: registry.map(({ model_id, fingerprint, dimensions, state }) => ({
      model_id,
      fingerprint,
      dimensions,
      state,
    })),
    tenants: [],
  };
  const home = JSON.stringify(registry);
  for (const [name, sql] of context.databases) {
    const own = await readRegistry(sql);
    // What cannot be asked is not what it should be: rows of its tenants name models by number.
    if (JSON.stringify(own) !== home) addFinding(audit, "registry_differs", [name]);
  }
  return { audit, after_tenant: "", at: null };
}

/** Goes on until all tenants are counted or could not be asked. False: the time is over; the part says how far it came. */
async function walk(context: StepContext, run: JobRun, part: AuditPart, previous: Audit | null): Promise<boolean> {
  const sampledUpTo = new Map(previous?.tenants.map((tenant) => [tenant.tenant_id, tenant.sample.after]));
  let keptAtMs = context.clock();
  const begun = part.at?.tenant.tenant_id ?? "";
  const named = begun === "" ? [...sampledUpTo.keys()] : [...sampledUpTo.keys(), begun];
  for (const tenantId of await knownTenants(context.bucket, named)) {
    if (tenantId <= part.after_tenant || tenantId < begun) continue;
    part.at ??= { tenant: emptyAudit(tenantId, sampledUpTo.get(tenantId) ?? ""), step: "tables", after: "" };
    while (part.at !== null) {
      if (run.budget.isSpent()) return false;
      const page = await auditPage(context, part.at.tenant, part.at.step, part.at.after);
      if (page.ok) advance(part, page.value);
      else passOver(part, tenantId, page.error.code);
      if (run.isDryRun || context.clock() - keptAtMs < KEEP_EVERY_MS) continue;
      await writePart(context.bucket, part);
      if (!(await run.checkpoint({}))) return false;
      keptAtMs = context.clock();
    }
  }
  return true;
}

/** A tenant whose database cannot be asked keeps no other waiting; what was counted of it is no audit. */
function passOver(part: AuditPart, tenantId: string, code: string): void {
  const { unaudited } = part.audit;
  if (unaudited.length < UNAUDITED_MAX) unaudited.push({ tenant_id: tenantId, code });
  part.after_tenant = tenantId;
  part.at = null;
}

/** To the next page, the next step or the next tenant. */
function advance(part: AuditPart, next: string | undefined): void {
  const { at } = part;
  if (at === null) return;
  if (next !== undefined) {
    at.after = next;
    return;
  }
  const step = AUDIT_STEPS[AUDIT_STEPS.indexOf(at.step) + 1];
  if (step !== undefined) {
    part.at = { ...at, step, after: "" };
    return;
  }
  const { audit } = part;
  audit.tenant_count += 1;
  const counts = Object.entries(at.tenant.counts).map(([name, count]) => ({ name, count }));
  // Names of sources are a tenant's own.
  addCounts(
    audit.totals,
    counts.filter(({ name }) => !name.startsWith("source")),
  );
  for (const { check, subjects, count } of at.tenant.findings) {
    const named = subjects.map((subject) => `${at.tenant.tenant_id}/${subject}`);
    addFinding(audit, check, named, count);
  }
  if (audit.tenants.length < TENANTS_MAX) audit.tenants.push(at.tenant);
  else audit.left_out_count += 1;
  part.after_tenant = at.tenant.tenant_id;
  part.at = null;
}
