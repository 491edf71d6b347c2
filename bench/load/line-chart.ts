/** Lines over a number, as SVG that needs no script. Pure. */
import { html, type Html } from "../../src/cli/report/html.ts";

export interface Line {
  readonly name: string;
  /** A class of the style sheet: `line-1` and so on. */
  readonly tone: string;
  /** Ascending in x; null where nothing was measured. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

/** A stretch of the x axis with a name. */
export interface Band {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly isHeavy: boolean;
}

export interface Chart {
  readonly label: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly bands?: readonly Band[];
  readonly xTicks: readonly number[];
  readonly xLabel: (x: number) => string;
  /** Dots on the points, where there are few. */
  readonly hasDots?: boolean;
  /** A bound to be seen beside the lines. */
  readonly bound?: { readonly value: number; readonly name: string };
}

const WIDTH = 1_080;
const HEIGHT = 260;
const EDGE = { top: 28, bottom: 30, left: 58, right: 24 } as const;
const Y_TICKS = 4;
/** Points of one line that are drawn: more than that a screen does not show. */
const POINTS_MAX = 1_200;

export function lineChart({ label, unit, lines, bands = [], xTicks, xLabel, hasDots = false, bound }: Chart): Html {
  const xs = [...xTicks, ...lines.flatMap(({ points }) => points.map(([at]) => at))];
  const ys = lines.flatMap(({ points }) => points.flatMap(([, y]) => (y === null ? [] : [y])));
  const [xMin, xMax] = [smallest(xs), Math.max(largest(xs), smallest(xs) + 1)];
  const yMax = niceCeiling(Math.max(largest(ys), bound?.value ?? 0));
  const x = (value: number): number =>
    round(EDGE.left + ((value - xMin) / (xMax - xMin)) * (WIDTH - EDGE.left - EDGE.right));
  const y = (value: number): number => round(HEIGHT - EDGE.bottom - (value / yMax) * (HEIGHT - EDGE.top - EDGE.bottom));
  const base = HEIGHT - EDGE.bottom;
  const spoken = lines.map((line) => `${line.name}, at most ${compact(largest(valuesOf(line)))}`).join("; ");
  return html`<figure class="plot">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${`${label}, ${unit}: ${spoken}`}">
      ${bands.map((band) => bandOf(band, { x, base }))}
      ${steps(Y_TICKS).map(
        (share) =>
          html`<line
              class="axis"
              x1="${EDGE.left}"
              x2="${WIDTH - EDGE.right}"
              y1="${y(share * yMax)}"
              y2="${y(share * yMax)}"
            />
            <text class="tick" x="${EDGE.left - 8}" y="${y(share * yMax) + 4}" text-anchor="end"
              >${compact(share * yMax)}</text
            >`,
      )}
      ${xTicks.map((tick) => html`<text class="tick" x="${x(tick)}" y="${HEIGHT - 8}" text-anchor="middle">${xLabel(tick)}</text>`)}
      ${bound === undefined ? [] : [html`<line class="target" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(bound.value)}" y2="${y(bound.value)}" /><text class="tick" x="${EDGE.left + 6}" y="${y(bound.value) - 5}">${bound.name}</text>`]}
      ${lines.map((line) => html`<path class="${line.tone}" d="${pathOf(line, x, y)}" />`)}
      ${hasDots ? lines.flatMap((line) => dotsOf(line, { x, y, unit })) : []}
    </svg>
    <figcaption>
      ${lines.map(
        (line) =>
          html`<span class="key"
            ><i class="${line.tone}"></i>${line.name} <b>max ${compact(largest(valuesOf(line)))} ${unit}</b></span
          >`,
      )}
    </figcaption>
  </figure>`;
}

type Scale = (value: number) => number;

function bandOf({ name, from, to, isHeavy }: Band, { x, base }: { readonly x: Scale; readonly base: number }): Html {
  const width = round(x(to) - x(from));
  // A name that has no room is in the tooltip alone.
  const shown = width > name.length * 7 ? name : "";
  return html`<g>
    <title>${name}</title>
    <rect
      class="${isHeavy ? "band heavy" : "band"}"
      x="${x(from)}"
      y="${EDGE.top}"
      width="${Math.max(1, width)}"
      height="${base - EDGE.top}"
    />
    <text class="tick" x="${round(x(from) + width / 2)}" y="${EDGE.top - 9}" text-anchor="middle">${shown}</text>
  </g>`;
}

function pathOf({ points }: Line, x: Scale, y: Scale): string {
  const every = Math.max(1, Math.ceil(points.length / POINTS_MAX));
  let isDrawing = false;
  let path = "";
  for (let index = 0; index < points.length; index += every) {
    const [at, value] = points[index] ?? [0, null];
    if (value !== null) path += `${isDrawing ? "L" : "M"}${x(at)} ${y(value)}`;
    isDrawing = value !== null;
  }
  return path;
}

function dotsOf(
  { name, tone, points }: Line,
  { x, y, unit }: { readonly x: Scale; readonly y: Scale; readonly unit: string },
): readonly Html[] {
  return points.flatMap(([at, value]) =>
    value === null
      ? []
      : [
          html`<circle class="${tone}" cx="${x(at)}" cy="${y(value)}" r="4">
            <title>${`${name}: ${compact(value)} ${unit}`}</title>
          </circle>`,
        ],
  );
}

/** Steps of time that a clock has, seconds. */
const TIME_STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600] as const;
const TIME_TICKS_MAX = 12;

/** Ticks of an axis of seconds from 0. */
export function timeTicks(seconds: number): readonly number[] {
  const step = TIME_STEPS.find((candidate) => seconds / candidate <= TIME_TICKS_MAX) ?? 3_600;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

function valuesOf({ points }: Line): readonly number[] {
  return points.flatMap(([, y]) => (y === null ? [] : [y]));
}

function steps(count: number): readonly number[] {
  return Array.from({ length: count + 1 }, (_, index) => index / count);
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), values[0] ?? 0);
}

/** The next number above that a scale of four parts divides well. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function compact(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 100) / 10}k`;
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
