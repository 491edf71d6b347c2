import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { clockText } from "../service/format.ts";

export interface Line {
  readonly name: string;
  /** A custom property of the style sheet, such as `--good`. */
  readonly colour: string;
  /** One value for each time; null where there is none. */
  readonly values: readonly (number | null)[];
}

interface TimeChartProps {
  readonly label: string;
  /** Milliseconds since 1970, ascending. */
  readonly timesMs: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
}

const HEIGHT = 180;

/** Lines over time. What they say last stands beside their names, so that nothing is in the drawing alone. */
export function TimeChart({ label, timesMs, lines, format }: TimeChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const names = lines.map(({ name }) => name).join("|");
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    chart.current = new uPlot(optionsOf(element, lines, format), [[]], element);
    const observer = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const recoloured = (): void => chart.current?.redraw(false, true);
    scheme.addEventListener("change", recoloured);
    return () => {
      scheme.removeEventListener("change", recoloured);
      observer.disconnect();
      chart.current?.destroy();
    };
    // A chart is made anew only when its lines are others; values are set below.
  }, [names]);
  useEffect(() => {
    chart.current?.setData([timesMs.map((atMs) => atMs / 1000), ...lines.map(({ values }) => [...values])]);
  }, [timesMs, lines, names]);
  return (
    <figure class="chart">
      <div ref={holder} role="img" aria-label={`${label}, the last ${Math.round(spanMinutes(timesMs))} minutes`} />
      <figcaption>
        {lines.map(({ name, colour, values }) => {
          const last = values.findLast((value) => value !== null);
          return (
            <span class="key">
              <i style={{ background: `var(${colour})` }} />
              {name} <b>{last === undefined || last === null ? "–" : format(last)}</b>
            </span>
          );
        })}
      </figcaption>
    </figure>
  );
}

function spanMinutes(timesMs: readonly number[]): number {
  return ((timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0)) / 60_000;
}

function optionsOf(element: HTMLElement, lines: readonly Line[], format: (value: number) => string): uPlot.Options {
  const colour = (name: string) => (): string => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(120, element.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        space: 90,
        size: 30,
        values: (_chart, splits) => {
          const hasSeconds = (splits[1] ?? 60) - (splits[0] ?? 0) < 60;
          return splits.map((atSeconds) => clockText(atSeconds * 1000).slice(0, hasSeconds ? 8 : 5));
        },
      },
      { ...axis, size: 62, values: (_chart, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ name, colour: property }) => ({
        label: name,
        stroke: colour(property),
        width: 2,
        points: { show: false },
      })),
    ],
  };
}
