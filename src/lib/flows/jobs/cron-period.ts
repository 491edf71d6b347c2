import type { CronLine } from "./job.ts";

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** Seconds between two ticks of a line of `CRON_LINES`. Throws on a form that they do not have, which the test of the schedule would find. */
export function cronPeriodSeconds(line: CronLine): number {
  const [minute = "", hour = ""] = line.split(" ");
  const everyMinutes = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (everyMinutes !== undefined && hour === "*") return Number(everyMinutes) * 60;
  if (hour === "*") return HOUR_SECONDS;
  const everyHours = /^\*\/(\d+)$/.exec(hour)?.[1];
  if (everyHours !== undefined) return Number(everyHours) * HOUR_SECONDS;
  if (/^\d+$/.test(minute) && /^\d+$/.test(hour) && line.endsWith(" * * *")) return DAY_SECONDS;
  throw new Error(`no period is known for ${line}`);
}
