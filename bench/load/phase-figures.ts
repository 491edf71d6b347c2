/** A phase's figures from what was sent and how it ended. Pure. */
import { percentile, sum } from "../support/statistics.ts";
import type { Latency, Phase, PhaseKind, Second } from "./load-report.ts";
import type { Ended, Verified } from "./recount.ts";
import type { Sent } from "./send-document.ts";
import { judgeLevel } from "./judge-level.ts";
import type { SearchSample } from "./watch-searches.ts";

export interface Observed {
  readonly name: string;
  readonly kind: PhaseKind;
  readonly ratePerSecond: number | null;
  readonly startAtMs: number;
  readonly sent: readonly Sent[];
  readonly ended: readonly (Ended | undefined)[];
  readonly searches: readonly SearchSample[];
  readonly verified: Verified;
}

/** One request that was accepted, with its end where it has one. */
interface Followed {
  readonly sent: Sent;
  readonly ended: Ended | undefined;
}

export function latencyOf(valuesMs: readonly number[]): Latency {
  if (valuesMs.length === 0) return { count: 0, p50: null, p95: null, p99: null };
  const [p50 = null, p95 = null, p99 = null] = [0.5, 0.95, 0.99].map((share) => percentile(valuesMs, share));
  return { count: valuesMs.length, p50, p95, p99 };
}

/** Documents that were accepted by then and were not searchable yet. */
export function backlogAt(followed: readonly Followed[], atMs: number): number {
  return followed.filter(
    ({ sent, ended }) => sent.repliedAtMs <= atMs && (ended === undefined || ended.appliedAtMs > atMs),
  ).length;
}

export function followedOf({ sent, ended }: Pick<Observed, "sent" | "ended">): readonly Followed[] {
  return sent.flatMap((one, index) => (one.token === null ? [] : [{ sent: one, ended: ended[index] }]));
}

export function phaseFigures(observed: Observed, runAtMs: number, searchableBoundMs: number): Phase {
  const { name, kind, ratePerSecond, startAtMs, sent, searches, verified } = observed;
  const followed = followedOf(observed);
  const applied = followed.flatMap(({ ended }) => (ended === undefined ? [] : [ended]));
  const endAtMs = Math.max(startAtMs, ...sent.map(({ plannedAtMs }) => plannedAtMs));
  const drainedAtMs = Math.max(endAtMs, ...applied.map(({ appliedAtMs }) => appliedAtMs));
  const refused = sent.filter(isRefused);
  const searchable = latencyOf(
    followed.flatMap(({ sent: one, ended }) =>
      ended?.outcome === "indexed" ? [ended.appliedAtMs - one.plannedAtMs] : [],
    ),
  );
  const chunks = sum(applied.map(({ chunkCount }) => chunkCount));
  const workedSeconds = Math.max(1, (drainedAtMs - startAtMs) / 1000);
  const seconds = secondsOf({ startAtMs, drainedAtMs, runAtMs }, sent, followed);
  const second = (atMs: number): number => (atMs - runAtMs) / 1000;
  const unanswered = sent.filter(({ status }) => status === "none").length;
  return {
    name,
    kind,
    ratePerSecond,
    startSecond: second(startAtMs),
    endSecond: second(endAtMs),
    drainedSecond: second(drainedAtMs),
    requests: {
      sent: sent.length,
      accepted: followed.length,
      refused: refused.length,
      refusedWithoutRetryAfter: refused.filter(({ retryAfter }) => !(Number(retryAfter) >= 1)).length,
      other: sent.length - followed.length - refused.length - unanswered,
      unanswered,
    },
    verdicts: countBy(followed.map(({ sent: one }) => one.verdict ?? "none")),
    outcomes: countBy(applied.map(({ outcome }) => outcome)),
    lost: followed.length - applied.length,
    verified,
    chunks,
    chunksReused: sum(applied.map(({ reusedCount }) => reusedCount)),
    chunksPerSecond: chunks / workedSeconds,
    documentsPerSecond: applied.length / workedSeconds,
    accept: latencyOf(followed.map(({ sent: one }) => one.repliedAtMs - one.plannedAtMs)),
    refusal: latencyOf(refused.map((one) => one.repliedAtMs - one.plannedAtMs)),
    searchable,
    searchableByToken: latencyOf(searches.flatMap(({ searchableMs }) => (searchableMs === null ? [] : [searchableMs]))),
    search: latencyOf(
      searches.filter(({ hasFailed, waited }) => !hasFailed && !waited).map(({ latencyMs }) => latencyMs),
    ),
    searchesFailed: searches.filter(({ hasFailed }) => hasFailed).length,
    backlogMost: Math.max(0, ...seconds.map(({ backlog }) => backlog)),
    verdict:
      kind === "level"
        ? judgeLevel({
            backlog: halfSecondsOf(startAtMs, endAtMs).map((atMs) => backlogAt(followed, atMs)),
            arrivals: sent.length,
            turnedAway: sent.length - followed.length,
            searchableP95Ms: searchable.p95,
            searchableBoundMs,
          })
        : null,
    seconds,
  };
}

export function isRefused({ status }: Sent): boolean {
  return status === 429 || status === 503;
}

const HALF_SECOND_MS = 500;

function halfSecondsOf(fromMs: number, toMs: number): readonly number[] {
  const count = Math.floor((toMs - fromMs) / HALF_SECOND_MS);
  return Array.from({ length: count }, (_, index) => fromMs + (index + 1) * HALF_SECOND_MS);
}

/** Seconds of a phase that are shown: past this one the run is over anyway. */
const SECONDS_MAX = 7_200;

function secondsOf(
  { startAtMs, drainedAtMs, runAtMs }: Readonly<Record<"startAtMs" | "drainedAtMs" | "runAtMs", number>>,
  sent: readonly Sent[],
  followed: readonly Followed[],
): Second[] {
  const count = Math.min(SECONDS_MAX, Math.ceil((drainedAtMs - startAtMs) / 1000) + 1);
  const bin = (atMs: number): number => Math.floor((atMs - startAtMs) / 1000);
  const seconds = Array.from({ length: count }, (_, index): Second => ({
    second: (startAtMs - runAtMs) / 1000 + index,
    accepted: 0,
    refused: 0,
    searchable: 0,
    chunks: 0,
    backlog: 0,
  }));
  for (const one of sent) {
    const second = seconds[bin(one.repliedAtMs)];
    if (second === undefined) continue;
    if (one.token !== null) second.accepted += 1;
    else if (isRefused(one)) second.refused += 1;
  }
  for (const { ended } of followed) {
    const second = ended === undefined ? undefined : seconds[bin(ended.appliedAtMs)];
    if (second === undefined || ended === undefined) continue;
    second.searchable += 1;
    second.chunks += ended.chunkCount;
  }
  let backlog = 0;
  for (const second of seconds) {
    backlog = Math.max(0, backlog + second.accepted - second.searchable);
    second.backlog = backlog;
  }
  return seconds;
}

function countBy(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}
