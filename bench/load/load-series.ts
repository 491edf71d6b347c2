/** What the plots of a load run draw. Pure. */
import { sum } from "../support/statistics.ts";
import type { Band, Line } from "./line-chart.ts";
import type { LoadReport, Phase } from "./load-report.ts";

export function bandsOf(phases: readonly Phase[]): readonly Band[] {
  return phases.map(({ name, kind, startSecond, endSecond }) => ({
    name: name.replace(/^level |,.*/g, ""),
    from: startSecond,
    to: endSecond,
    isHeavy: kind === "overload",
  }));
}

/** One value a second over the whole run: phases overlap where one is worked off while the next one begins, and then they add up. */
export function pointsOf(
  phases: readonly Phase[],
  value: (second: Phase["seconds"][number]) => number,
): readonly (readonly [number, number])[] {
  const bySecond = new Map<number, number>();
  for (const one of phases.flatMap(({ seconds }) => seconds)) {
    // In the middle of the second that was counted.
    const second = Math.round(one.second + 0.5);
    bySecond.set(second, (bySecond.get(second) ?? 0) + value(one));
  }
  return [...bySecond].toSorted(([a], [b]) => a - b);
}

const SMOOTHED_POINTS = 5;

export function smoothed(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  return points.map(([second], index) => {
    const near = points.slice(Math.max(0, index - 2), index - 2 + SMOOTHED_POINTS);
    return [second, sum(near.map(([, value]) => value)) / near.length];
  });
}

const TONES = ["line-1", "line-2", "line-3", "line-4"] as const;

export function memoryLines(memory: LoadReport["memory"]): readonly Line[] {
  return [...Map.groupBy(memory, ({ part }) => part)].map(([part, processes], index) => {
    const bySecond = new Map<number, number>();
    for (const [second, mib] of processes.flatMap(({ samples }) => samples))
      bySecond.set(second, (bySecond.get(second) ?? 0) + mib);
    const name = processes.length === 1 ? part : `${part} (${processes.length} processes over time)`;
    return { name, tone: TONES[index % TONES.length] ?? "line-1", points: [...bySecond].toSorted(([a], [b]) => a - b) };
  });
}
