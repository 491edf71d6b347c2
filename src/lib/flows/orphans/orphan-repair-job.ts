import { MINUTE_MS } from "../../base/durations.ts";
import { ok } from "../../base/result.ts";
import type { Job, JobContext } from "../jobs/job.ts";
import { lookAround, type Round } from "./look-around.ts";
import { markedFindings } from "./marks.ts";
import { FINDINGS_MAX, shownFinding, type ShownFinding } from "./orphan-check-job.ts";
import { isRepairable, repair, type RepairContext } from "./repairs.ts";

interface RepairReport {
  readonly tenantCount: number;
  readonly lookedAtCount: number;
  /** Mended by this run, or, of a dry run, what would be. */
  readonly repairedCount: number;
  /** Found for an hour or longer, and left as they are: docs/orphans.md says what a person can do. */
  readonly keptCount: number;
  /** Not found for an hour yet: a writer may be in the middle of them. */
  readonly unconfirmedCount: number;
  /** Repairs that failed: they are found again. */
  readonly failedCount: number;
  /** At most `FINDINGS_MAX`. `code`: why it failed. */
  readonly findings: readonly (ShownFinding & {
    readonly outcome: "repaired" | "kept" | "failed";
    readonly code?: string;
  })[];
  readonly failures: Round["failures"];
}

/**
 * Mends what the orphan check has found twice, an hour apart, and what is found now once more. Nothing that was given to us is destroyed: what has no safe
 * repair is kept and named.
 */
export const ORPHAN_REPAIR_JOB: Job<JobContext & RepairContext, RepairReport> = {
  name: "orphan_repair",
  summary: "mends what the orphan check has found for an hour or longer, as far as nothing given is destroyed",
  cron: null,
  timeMsMax: 10 * MINUTE_MS,
  async run(context, run) {
    const shown: RepairReport["findings"][number][] = [];
    const tally = { repaired: 0, kept: 0, failed: 0, unconfirmed: 0 };
    const { isDone, cursor, ...round } = await lookAround(context, run, {
      async take(look, findings) {
        const confirmed = await markedFindings(look, findings, { isDryRun: true });
        if (!confirmed.ok) return confirmed;
        tally.unconfirmed += findings.length - confirmed.value.length;
        for (const finding of confirmed.value) {
          const ended = !isRepairable(finding)
            ? ok("kept" as const)
            : run.isDryRun
              ? ok("repaired" as const)
              : await repair(context, look.tenantId, finding);
          const outcome = ended.ok ? ended.value : "failed";
          tally[outcome] += 1;
          const code = ended.ok ? {} : { code: ended.error.code };
          if (shown.length < FINDINGS_MAX) shown.push({ ...shownFinding(look.tenantId, finding), outcome, ...code });
        }
        return ok(null);
      },
      gone: async () => ok(null),
    });
    return {
      report: {
        tenantCount: round.tenantCount,
        lookedAtCount: round.lookedAtCount,
        repairedCount: tally.repaired,
        keptCount: tally.kept,
        unconfirmedCount: tally.unconfirmed,
        failedCount: tally.failed,
        findings: shown,
        failures: round.failures,
      },
      outcome: round.failures.length + tally.failed > 0 ? "failed" : isDone ? "done" : "partial",
      cursor,
    };
  },
};
