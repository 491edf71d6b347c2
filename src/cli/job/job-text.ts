import type { JobEntry, JobRunEntry, JobRunReport } from "../../lib/contract/job.ts";
import { style } from "../terminal/style.ts";
import { tableLines } from "../terminal/table.ts";

const COLOURS: Readonly<Record<JobRunEntry["state"], (text: string) => string>> = {
  done: style.green,
  running: style.cyan,
  partial: style.yellow,
  failed: style.red,
  died: style.red,
};

/** Jobs as a table: when they run, how they last ended. */
export function jobTable(jobs: readonly JobEntry[]): string {
  const head = ["job", "when (UTC)", "budget", "last run", "took", "last done"].map((cell) => style.bold(cell));
  const rows = jobs.map((job) => [
    job.name,
    job.enabled ? job.when : style.dim("switched off"),
    `${job.budget_seconds} s`,
    job.last_run === null ? style.dim("never") : `${timeText(job.last_run.started_at)} ${stateText(job.last_run)}`,
    tookText(job.last_run),
    job.last_done_at === null ? style.dim("never") : timeText(job.last_done_at),
  ]);
  return tableLines([head, ...rows]).join("\n");
}

/** Runs as a table, newest first. */
export function runTable(runs: readonly JobRunEntry[]): string {
  const head = ["run", "started (UTC)", "by", "ended", "took"].map((cell) => style.bold(cell));
  const rows = runs.map((run) => [
    run.run_id,
    timeText(run.started_at),
    run.dry_run ? `${run.started_by}, dry` : run.started_by,
    stateText(run),
    tookText(run),
  ]);
  return tableLines([head, ...rows]).join("\n");
}

/** A run with its report: counts as lines, everything deeper as JSON. */
export function runText(run: JobRunReport): string {
  const dry = run.dry_run ? style.dim("  dry run: nothing was changed") : "";
  const lines = [
    `${style.bold(run.run_id)}  ${stateText(run)}  ${style.dim(tookText(run))}${dry}`,
    ...tableLines(reportRows(run.report)).map((line) => `  ${line}`),
  ];
  if (run.report_key !== null) lines.push(style.dim(`  ${run.report_key}`));
  return lines.join("\n");
}

function reportRows(report: unknown): readonly (readonly string[])[] {
  if (typeof report !== "object" || report === null) return [];
  return Object.entries(report).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
}

function stateText({ state, error_code: code }: JobRunEntry): string {
  return COLOURS[state](code === null ? state : `${state} (${code})`);
}

function tookText(run: JobRunEntry | null): string {
  const durationMs = run?.duration_ms ?? null;
  return durationMs === null ? "" : `${(durationMs / 1000).toFixed(1)} s`;
}

/** To the second, as people read it. */
function timeText(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}
