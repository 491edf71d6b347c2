import { DAY_MS } from "../base/durations.ts";

/** A stretch of time that a query speaks of, half-open, milliseconds since 1970 UTC. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly beforeMs: number;
}

/** How long people go on talking about what happened: a window stays open for so long behind its end. */
const TOLD_WITHIN_MS = 7 * DAY_MS;
/** Years that a number of four digits may mean. */
const YEAR_MIN = 1900;
const YEAR_MAX = 2199;
/** "N … ago" beyond this many is a figure of speech. */
const AGO_MAX = 999;

const MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december".split("|");
const MONTH = `(${MONTHS.join("|")})`;
const YEAR = "((?:19|20|21)\\d\\d)";
const DAY = "(\\d{1,2})(?:st|nd|rd|th)?";
/** First month of each season, of the northern half of the world. */
const SEASONS: Readonly<Record<string, number>> = { spring: 2, summer: 5, autumn: 8, fall: 8, winter: 11 };

type Reading = (match: RegExpExecArray, nowMs: number) => TimeWindow | null;

/** Ways to say a time, the most exact first: the first that is found in a query counts. */
const READINGS: readonly (readonly [RegExp, Reading])[] = [
  [/\b(\d{4})-(\d\d)-(\d\d)\b/, ([, year, month, day]) => dayWindow(Number(year), Number(month) - 1, Number(day))],
  [pattern(`${DAY} (?:of )?${MONTH},? ${YEAR}`), ([, day, month, year]) => dayOf(day, month, year)],
  [pattern(`${MONTH} ${DAY},? ${YEAR}`), ([, month, day, year]) => dayOf(day, month, year)],
  [pattern(`${MONTH},? (?:of )?${YEAR}`), ([, month = "", year]) => months(Number(year), monthIndex(month), 1)],
  [
    pattern(`(spring|summer|autumn|fall|winter),? (?:of )?${YEAR}`),
    ([, season = "", year]) => months(Number(year), SEASONS[season.toLowerCase()] ?? 0, 3),
  ],
  [pattern(`${DAY} (?:of )?${MONTH}`), ([, day, month], nowMs) => latestDay(day, month, nowMs)],
  [pattern(`${MONTH} ${DAY}`), ([, month, day], nowMs) => latestDay(day, month, nowMs)],
  [pattern(`(?:in|last|since|during) ${MONTH}`), ([, month = ""], nowMs) => latestMonths(monthIndex(month), 1, nowMs)],
  [
    pattern("last (spring|summer|autumn|fall|winter)"),
    ([, season = ""], nowMs) => latestMonths(SEASONS[season.toLowerCase()] ?? 0, 3, nowMs),
  ],
  [pattern("today"), (_, nowMs) => window(startOfDay(nowMs), startOfDay(nowMs) + DAY_MS)],
  [pattern("yesterday"), (_, nowMs) => window(startOfDay(nowMs) - DAY_MS, startOfDay(nowMs))],
  [pattern("last week"), (_, nowMs) => window(startOfDay(nowMs) - 14 * DAY_MS, startOfDay(nowMs))],
  [pattern("last month"), (_, nowMs) => months(yearOf(nowMs), new Date(nowMs).getUTCMonth() - 1, 1)],
  [pattern("last year"), (_, nowMs) => months(yearOf(nowMs) - 1, 0, 12)],
  [
    pattern("(\\d{1,3}|an?) (day|week|month|year)s? ago"),
    ([, count = "", unit = ""], nowMs) => ago(count, unit, nowMs),
  ],
  [pattern(`(?:in|of|during|since) ${YEAR}`), ([, year]) => months(Number(year), 0, 12)],
];

/**
 * The time that an English query speaks of, or null. "in May", "last summer" and the like are read from `nowMs` backwards. The window is open for a week
 * behind its end, since what happened is told afterwards. Pure.
 */
export function timeWindowOf(query: string, nowMs: number): TimeWindow | null {
  for (const [saying, reading] of READINGS) {
    const match = saying.exec(query);
    const found = match === null ? null : reading(match, nowMs);
    if (found !== null) return { fromMs: found.fromMs, beforeMs: found.beforeMs + TOLD_WITHIN_MS };
  }
  return null;
}

function pattern(source: string): RegExp {
  return new RegExp(`\\b${source}\\b`, "i");
}

function window(fromMs: number, beforeMs: number): TimeWindow {
  return { fromMs, beforeMs };
}

function monthIndex(name: string): number {
  return MONTHS.indexOf(name.toLowerCase());
}

function yearOf(ms: number): number {
  return new Date(ms).getUTCFullYear();
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

function months(year: number, month: number, count: number): TimeWindow | null {
  if (year < YEAR_MIN || year > YEAR_MAX) return null;
  return window(Date.UTC(year, month, 1), Date.UTC(year, month + count, 1));
}

function dayWindow(year: number, month: number, day: number): TimeWindow | null {
  if (year < YEAR_MIN || year > YEAR_MAX || month < 0 || month > 11 || day < 1 || day > 31) return null;
  const fromMs = Date.UTC(year, month, day);
  return window(fromMs, fromMs + DAY_MS);
}

function dayOf(day: string | undefined, month: string | undefined, year: string | undefined): TimeWindow | null {
  return dayWindow(Number(year), monthIndex(month ?? ""), Number(day));
}

/** That day of this year, or of the year before when it is still to come. */
function latestDay(day: string | undefined, month: string | undefined, nowMs: number): TimeWindow | null {
  const thisYear = dayWindow(yearOf(nowMs), monthIndex(month ?? ""), Number(day));
  if (thisYear === null || thisYear.fromMs <= nowMs) return thisYear;
  return dayWindow(yearOf(nowMs) - 1, monthIndex(month ?? ""), Number(day));
}

function latestMonths(month: number, count: number, nowMs: number): TimeWindow | null {
  const thisYear = months(yearOf(nowMs), month, count);
  return thisYear !== null && thisYear.fromMs <= nowMs ? thisYear : months(yearOf(nowMs) - 1, month, count);
}

function ago(count: string, unit: string, nowMs: number): TimeWindow | null {
  const number = /^an?$/i.test(count) ? 1 : Number(count);
  if (number > AGO_MAX) return null;
  const days = { day: 1, week: 7, month: 30, year: 365 }[unit.toLowerCase()] ?? 1;
  // As exact as the unit: "three weeks ago" is some day of that week.
  const centreMs = startOfDay(nowMs) - number * days * DAY_MS;
  return window(centreMs - Math.floor(days / 2) * DAY_MS, centreMs + (Math.floor(days / 2) + 1) * DAY_MS);
}
