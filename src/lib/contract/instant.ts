import { z } from "zod";

/** RFC 3339 as zod lets it through: whole seconds, fraction, an offset up to a minute short of a day. */
const PARTS = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/u;
/** PostgreSQL keeps microseconds. */
const FRACTION_DIGITS = 6;
const SECONDS_LENGTH = "0001-01-01T00:00:00".length;
/** PostgreSQL knows no year 0, and years beyond 9999 have another form. What an offset carries over a bound stays at it. */
const BOUNDS_MS = { least: Date.parse("0001-01-01T00:00:00Z"), greatest: Date.parse("9999-12-31T23:59:59Z") } as const;

/** The same time in UTC, to the microsecond: PostgreSQL refuses offsets of 16 hours and more. Pure. */
export function inUtc(time: string): string {
  const [, seconds = "", fraction = "", offset = ""] = PARTS.exec(time) ?? [];
  const wholeMs = Date.parse(`${seconds}${offset}`);
  const kept = Math.min(Math.max(wholeMs, BOUNDS_MS.least), BOUNDS_MS.greatest);
  const digits = fraction.slice(0, FRACTION_DIGITS).padEnd(FRACTION_DIGITS, "0");
  return `${new Date(kept).toISOString().slice(0, SECONDS_LENGTH)}.${digits}Z`;
}

/** A time of a client, with an offset; read, it is in UTC. */
export const instantSchema = z.iso.datetime({ offset: true }).transform(inUtc);
