/** What is asked for when the metrics are: queues, sessions, dependencies, and the schedule as it stands. */
import { cronPeriodSeconds } from "../lib/flows/jobs/cron-period.ts";
import { readiness } from "../lib/flows/readiness.ts";
import type { LabelsOf, ScrapedName } from "../lib/metrics/metric-names.ts";
import { seriesId } from "../lib/metrics/series.ts";
import type { Context } from "./context.ts";
import { JOBS } from "./jobs.ts";

type Gauges = Map<string, number>;

/** Gauges by series id. A part that does not answer leaves its gauges out, and none of them fails the scrape. */
export async function scrapedGauges(context: Context): Promise<ReadonlyMap<string, number>> {
  const gauges: Gauges = new Map();
  scheduleGauges(gauges, context);
  await Promise.allSettled([
    queueGauges(gauges, "embed", context.embedQueue, context.clock()),
    queueGauges(gauges, "seal", context.sealQueue, context.clock()),
    sessionGauges(gauges, context),
    dependencyGauges(gauges, context),
  ]);
  return gauges;
}

function set<N extends ScrapedName>(gauges: Gauges, name: N, labels: LabelsOf<N>, value: number): void {
  gauges.set(seriesId(name, labels), value);
}

function scheduleGauges(gauges: Gauges, context: Context): void {
  for (const job of JOBS) {
    if (job.cron === null || job.isEnabled?.(context) === false) continue;
    set(gauges, "job_budget_seconds", { job_name: job.name }, job.timeMsMax / 1000);
    set(gauges, "job_period_seconds", { job_name: job.name }, cronPeriodSeconds(job.cron));
  }
}

async function queueGauges(
  gauges: Gauges,
  name: string,
  queue: Pick<Context["embedQueue"] | Context["sealQueue"], "metrics">,
  nowMs: number,
): Promise<void> {
  const { backlogCount, oldestMessageTimestamp } = await queue.metrics();
  const oldestMs = oldestMessageTimestamp?.getTime() ?? 0;
  set(gauges, "queue_backlog_messages", { queue: name }, backlogCount);
  // The platform says 1970 where it has no message to speak of.
  const ageSeconds = oldestMs === 0 ? 0 : Math.max(0, (nowMs - oldestMs) / 1000);
  set(gauges, "queue_oldest_message_age_seconds", { queue: name }, ageSeconds);
}

async function sessionGauges(gauges: Gauges, { sessionGate, clock }: Context): Promise<void> {
  const { active, waiting } = await sessionGate().describe({ nowMs: clock() });
  set(gauges, "sessions_open", {}, active);
  set(gauges, "sessions_waiting", {}, waiting);
}

async function dependencyGauges(gauges: Gauges, context: Context): Promise<void> {
  const { checks } = await readiness(context);
  for (const [part, { ready }] of Object.entries(checks)) set(gauges, "dependency_ready", { part }, ready ? 1 : 0);
}
