/** The figures of a load run for the terminal. Pure. */
import type { BenchReport, Figure } from "../support/figure.ts";
import { sum } from "../support/statistics.ts";
import type { Latency, LoadReport, Phase } from "./load-report.ts";

export function summaryOf(report: LoadReport): BenchReport {
  const { phases, recovery, machine, options } = report;
  const overload = phases.find(({ kind }) => kind === "overload");
  const figures: readonly (Figure | undefined)[] = [
    figure("bulk to searchable", "chunks/s", phases[0]?.chunksPerSecond),
    figure("level that holds", "documents/s", report.holdsAtPerSecond),
    figure("level that bends", "documents/s", report.bendsAtPerSecond),
    cost("accepted and lost", "documents", sum(phases.map(({ lost }) => lost)), 0),
    overload === undefined
      ? undefined
      : cost(
          `answers of the overload other than 202 and 429 or 503 with Retry-After`,
          "requests",
          overload.requests.other + overload.requests.unanswered + overload.requests.refusedWithoutRetryAfter,
          0,
        ),
    cost("backlog gone after the overload", "s", recovery?.backlogGoneSeconds, 60),
    cost("as before after the overload", "s", recovery?.normalSeconds, 60),
  ];
  return {
    bench: "load",
    figures: figures.filter((one) => one !== undefined),
    skipped: [],
    details: [
      `${machine.cores} × ${machine.processor}, Node ${machine.node}, load before ${machine.loadBefore.toFixed(1)}, after ${machine.loadAfter.toFixed(1)}; ${options.database}, seed ${options.seed}, queue bound ${options.backlogMax}`,
      ...phases.map(phaseLine),
    ],
  };
}

function phaseLine(phase: Phase): string {
  const { name, requests, outcomes, accept, searchable, searchableByToken, search } = phase;
  const ended = Object.entries(outcomes)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(", ");
  return `${name}: ${requests.accepted} of ${requests.sent} accepted, ${requests.refused} refused (${ended}); accept ${latency(accept)}; searchable ${latency(searchable)}, by token ${latency(searchableByToken)}; search ${latency(search)}`;
}

function latency({ p50, p95, p99 }: Latency): string {
  if (p50 === null || p95 === null || p99 === null) return "–";
  return `p50 ${p50.toFixed(0)} p95 ${p95.toFixed(0)} p99 ${p99.toFixed(0)} ms`;
}

function figure(name: string, unit: string, value: number | null | undefined): Figure | undefined {
  return value === null || value === undefined
    ? undefined
    : { name, unit, ours: { name: "service", samples: [value] } };
}

function cost(name: string, unit: string, value: number | null | undefined, target: number): Figure {
  // What did not come about within the watch is beyond every bound.
  return { name, unit, ours: { name: "service", samples: [value ?? Infinity] }, target, isCost: true };
}
