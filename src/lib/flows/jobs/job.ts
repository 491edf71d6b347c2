import type { Clock } from "../../base/clock.ts";
import type { Sql } from "../../db/sql.ts";
import type { GaugeName } from "../../metrics/metric-names.ts";
import type { Labels } from "../../metrics/series.ts";
import type { TimeBudget } from "./time-budget.ts";

/** The cron lines of wrangler.toml, in UTC, and how people say them. docs/cron.md has the whole schedule. */
export const CRON_LINES = {
  "*/5 * * * *": "every five minutes",
  "*/15 * * * *": "every quarter of an hour",
  "0 * * * *": "every hour, on the hour",
  "0 */6 * * *": "every six hours, on the hour",
  "30 * * * *": "every hour, at half past",
  "30 */6 * * *": "every six hours, at half past",
  "0 2 * * *": "every day at 02:00",
  "0 3 * * *": "every day at 03:00",
  "30 3 * * *": "every day at 03:30",
  "0 4 * * *": "every day at 04:00",
  "30 4 * * *": "every day at 04:30",
} as const;
export type CronLine = keyof typeof CRON_LINES;

/** Where the next run goes on. Small: it is read and written with each run. */
export type JobCursor = Readonly<Record<string, unknown>>;

export interface JobContext {
  readonly sql: Sql;
  readonly clock: Clock;
}

/** One run, as the job sees it. */
export interface JobRun {
  /** What the last run left; `{}` at the first one. */
  readonly cursor: JobCursor;
  /** Looked at between pages. Once it is spent the job ends as "partial". */
  readonly budget: TimeBudget;
  /**
   * Only say what would be done. The context of a dry run cannot write: transactions are read-only, the bucket and the queues refuse.
   */
  readonly isDryRun: boolean;
  /** What somebody who starts it by hand asks for; nothing when the schedule does. Unchecked: the job takes what it knows. */
  readonly parameters: Readonly<Record<string, string>>;
  /**
   * Keeps a place that the next run may go on from, should this one die, and makes the lease last as long again. False: another run has the
   * lease, or the store could not be asked; the job should end.
   */
  readonly checkpoint: (cursor: JobCursor) => Promise<boolean>;
}

export interface JobOutcome<R> {
  /** Counts, ids and codes, at most `REPORT_BYTES_MAX` of JSON. Never a text of a tenant. */
  readonly report: R;
  /** partial: stopped with work left, to go on from the cursor. failed: something has to be looked at; the cursor is kept all the same. */
  readonly outcome: "done" | "partial" | "failed";
  readonly cursor: JobCursor;
  /** What it measured, for dashboards and alerts. Nothing of a dry run is kept. */
  readonly gauges?: readonly JobGauge[];
}

export interface JobGauge {
  readonly name: GaugeName;
  /** Few values: never a tenant, a user or a text. */
  readonly labels: Labels;
  readonly value: number;
}

/**
 * Work that the schedule starts. It is safe under a lost lease: what it destroys or changes is conditional on the state it finds, never on "I hold
 * the lease". Memory is bounded by constants of the job.
 */
export interface Job<C extends JobContext, R> {
  /** Words joined by "_": a label of metrics and a part of keys and paths. */
  readonly name: string;
  /** One sentence without a full stop, for lists. */
  readonly summary: string;
  /** null: started by hand alone. */
  readonly cron: CronLine | null;
  /** Time of one run, milliseconds. All jobs of a line run one after the other in one invocation, which has 15 minutes. */
  readonly timeMsMax: number;
  /** Whether the configuration wants it to run; left out: always. */
  readonly isEnabled?: (context: C) => boolean;
  readonly run: (context: C, run: JobRun) => Promise<JobOutcome<R>>;
}
