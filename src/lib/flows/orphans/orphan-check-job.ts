import { MINUTE_MS } from "../../base/durations.ts";
import { err, ok } from "../../base/result.ts";
import { forgetMarks } from "../../db/queries/orphan-marks.ts";
import type { Job } from "../jobs/job.ts";
import { type Finding, ORPHAN_KINDS } from "./finding.ts";
import { lookAround, type LookContext, type Round } from "./look-around.ts";
import { markedFindings } from "./marks.ts";

/** A finding as a report shows it. */
export interface ShownFinding {
  readonly tenant_id: string;
  readonly kind: string;
  readonly subject: string;
}

interface CheckReport {
  readonly tenantCount: number;
  readonly lookedAtCount: number;
  /** By kind, since the round began. */
  readonly found: Readonly<Record<string, number>>;
  /** Of this run: seen for an hour or longer. `orphan_repair` mends those. */
  readonly confirmedCount: number;
  /** Of this run, at most `FINDINGS_MAX`. */
  readonly findings: readonly (ShownFinding & { readonly confirmed: boolean })[];
  readonly failures: Round["failures"];
}

/** Findings that a report names. */
export const FINDINGS_MAX = 500;

/** Looks for what hangs on nothing, marks it, and says so. It mends nothing. */
export const ORPHAN_CHECK_JOB: Job<LookContext, CheckReport> = {
  name: "orphan_check",
  summary: "looks for rows and objects that hang on nothing, and marks them; mends nothing",
  cron: "30 * * * *",
  timeMsMax: 10 * MINUTE_MS,
  async run(context, run) {
    const { isDryRun } = run;
    const shown: CheckReport["findings"][number][] = [];
    let confirmedCount = 0;
    const { isDone, cursor, ...round } = await lookAround(context, run, {
      async take(look, findings) {
        const confirmed = await markedFindings(look, findings, { isDryRun });
        if (!confirmed.ok) return confirmed;
        confirmedCount += confirmed.value.length;
        const known = new Set(confirmed.value);
        for (const finding of findings.slice(0, Math.max(0, FINDINGS_MAX - shown.length)))
          shown.push({ ...shownFinding(look.tenantId, finding), confirmed: known.has(finding) });
        return ok(null);
      },
      async gone({ sql, tenantId }, kinds, begunAt) {
        if (isDryRun) return ok(null);
        const forgotten = await sql.transaction({ tenantId, userId: "*" }, [forgetMarks(tenantId, kinds, begunAt)]);
        return forgotten.ok ? ok(null) : err({ code: forgotten.error.code });
      },
    });
    const gauges = Object.keys(ORPHAN_KINDS).map((kind) => ({
      name: "orphans" as const,
      labels: { kind },
      value: round.found[kind] ?? 0,
    }));
    return {
      report: { ...round, confirmedCount, findings: shown },
      outcome: round.failures.length > 0 ? "failed" : isDone ? "done" : "partial",
      cursor,
      // A part of a round knows of a part of the tenants.
      gauges: isDone ? gauges : [],
    };
  },
};

export function shownFinding(tenantId: string, { kind, label }: Finding): ShownFinding {
  return { tenant_id: tenantId, kind, subject: label };
}
