/** Whether a level of load holds. Pure. */
import { median } from "../support/statistics.ts";

export interface LevelFacts {
  /** Documents that waited, at even distances over the level. */
  readonly backlog: readonly number[];
  readonly arrivals: number;
  /** Refused, failed or unanswered. */
  readonly turnedAway: number;
  readonly searchableP95Ms: number | null;
  readonly searchableBoundMs: number;
}

/**
 * A backlog that is larger by this share of what arrives in half of the level, or by so many documents, has grown: arrivals at random make it go up and
 * down by less.
 */
const GROWTH_SHARE = 0.1;
const GROWTH_DOCUMENTS = 5;

/**
 * A level holds when everything was accepted, the backlog did not grow over its second half (median of its last quarter against median of the one
 * before), and the p95 from the planned moment until searchable is within the bound. Otherwise it bends.
 */
export function judgeLevel(facts: LevelFacts): { readonly holds: boolean; readonly reasons: string[] } {
  const { backlog, arrivals, turnedAway, searchableP95Ms, searchableBoundMs } = facts;
  const reasons: string[] = [];
  if (turnedAway > 0) reasons.push(`${turnedAway} of ${arrivals} requests were not accepted`);
  const quarter = Math.floor(backlog.length / 4);
  if (quarter >= 1) {
    const third = median(backlog.slice(-2 * quarter, -quarter));
    const last = median(backlog.slice(-quarter));
    // The middles of both quarters are a quarter of the level apart: half of what came in its second half.
    const bound = Math.max(GROWTH_DOCUMENTS, (GROWTH_SHARE * arrivals) / 4);
    if (last - third > bound) reasons.push(`the backlog grew from ${third} to ${last} documents over the last quarter`);
  }
  if (searchableP95Ms === null) reasons.push("nothing became searchable");
  else if (searchableP95Ms > searchableBoundMs)
    reasons.push(`p95 until searchable ${Math.round(searchableP95Ms)} ms, over ${searchableBoundMs}`);
  return { holds: reasons.length === 0, reasons };
}

export interface Probe {
  /** Seconds since the overload ended. */
  readonly second: number;
  /** Milliseconds; null where it was refused, lost or not indexed. */
  readonly acceptMs: number | null;
  readonly searchableMs: number | null;
}

/** So many probes in a row have to be as before. */
const NORMAL_PROBES = 5;

/** When requests were as before again: the first of five probes in a row within the bounds; null where there are none such. */
export function normalAgainSecond(
  probes: readonly Probe[],
  bounds: { readonly acceptBelowMs: number; readonly searchableBelowMs: number },
): number | null {
  const isNormal = ({ acceptMs, searchableMs }: Probe): boolean =>
    acceptMs !== null &&
    searchableMs !== null &&
    acceptMs <= bounds.acceptBelowMs &&
    searchableMs <= bounds.searchableBelowMs;
  const first = probes.findIndex((_, index) => {
    const row = probes.slice(index, index + NORMAL_PROBES);
    return row.length === NORMAL_PROBES && row.every(isNormal);
  });
  return probes[first]?.second ?? null;
}
