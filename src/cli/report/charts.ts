import { html, type Html, NOTHING } from "./html.ts";
import { countText, shareText, shortCount } from "./number-text.ts";
import type { LengthBin, RelaxationView, Segment } from "./report-view.ts";

const WIDTH = 520;
const HEIGHT = 230;
const TOP = 26;
const BOTTOM = 34;
const LEFT = 8;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** A bar of shares; each part has its count and label as a tooltip. */
export function stackedBar(segments: readonly Segment[], label: string): Html {
  const total = segments.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return html`<div class="stack empty"></div>`;
  const parts = segments
    .filter(({ count }) => count > 0)
    .map(
      ({ label: name, tone, count }) =>
        html`<i
          class="fill-${tone}"
          style="flex-grow:${count}"
          title="${`${name}: ${countText(count)} (${shareText(count / total)})`}"
        ></i>`,
    );
  const spoken = segments.map(({ label: name, count }) => `${name} ${count}`).join(", ");
  return html`<div class="stack" role="img" aria-label="${`${label}: ${spoken}`}">${parts}</div>`;
}

/** Texts by length, accepted below, the rest on top. The scale doubles with each bin. */
export function lengthHistogram(bins: readonly LengthBin[]): Html {
  const most = Math.max(1, ...bins.map(({ accepted, other }) => accepted + other));
  const slot = (WIDTH - 2 * LEFT) / Math.max(1, bins.length);
  const every = Math.ceil(bins.length / 9);
  const columns = bins.map(({ from, to, accepted, other }, index) => {
    const x = LEFT + index * slot + slot * 0.1;
    const width = round(slot * 0.8);
    const acceptedHeight = (accepted / most) * PLOT_HEIGHT;
    const otherHeight = (other / most) * PLOT_HEIGHT;
    const base = HEIGHT - BOTTOM;
    const label = `${countText(from)} to ${countText(to - 1)} characters: ${accepted} accepted, ${other} not`;
    return html`<g>
      <title>${label}</title>
      <rect class="hit" x="${round(LEFT + index * slot)}" y="${TOP}" width="${round(slot)}" height="${PLOT_HEIGHT}" />
      <rect
        class="svg-accepted"
        x="${round(x)}"
        y="${round(base - acceptedHeight)}"
        width="${width}"
        height="${round(acceptedHeight)}"
      />
      <rect
        class="svg-other"
        x="${round(x)}"
        y="${round(base - acceptedHeight - otherHeight)}"
        width="${width}"
        height="${round(otherHeight)}"
      />
      ${index % every === 0 ? html`<text class="tick" x="${round(LEFT + index * slot + slot / 2)}" y="${HEIGHT - 12}" text-anchor="middle">${shortCount(from)}</text>` : NOTHING}
    </g>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Histogram of text lengths">
    <line class="axis" x1="${LEFT}" y1="${TOP}" x2="${WIDTH - LEFT}" y2="${TOP}" />
    <line class="axis" x1="${LEFT}" y1="${HEIGHT - BOTTOM}" x2="${WIDTH - LEFT}" y2="${HEIGHT - BOTTOM}" />
    <text class="tick" x="${LEFT}" y="${TOP - 8}">${countText(most)} texts</text>
    ${columns}
  </svg>`;
}

/** Share let in at each step of relaxation, with the target as a line. Steps that were not taken are outlined. */
export function relaxationChart(view: RelaxationView): Html {
  const slots = view.stepsMax + 1;
  const slot = (WIDTH - 2 * LEFT) / slots;
  const heightOf = (share: number): number => share * PLOT_HEIGHT;
  const base = HEIGHT - BOTTOM;
  const columns = Array.from({ length: slots }, (_, step) => {
    const taken = view.steps.find((candidate) => candidate.step === step);
    const strict = view.steps[0]?.passRate ?? 0;
    const x = round(LEFT + step * slot + slot * 0.18);
    const width = round(slot * 0.64);
    const middle = round(LEFT + step * slot + slot / 2);
    const name = step === 0 ? "strict" : step === view.stepsMax ? "floor" : `step ${step}`;
    const label = html`<text class="tick" x="${middle}" y="${HEIGHT - 12}" text-anchor="middle">${name}</text>`;
    if (taken === undefined)
      return html`<g class="untaken"><rect x="${x}" y="${base - 6}" width="${width}" height="6" />${label}</g>`;
    const lower = heightOf(Math.min(strict, taken.passRate));
    const upper = heightOf(taken.passRate) - lower;
    const isTall = lower > 30;
    const valueY = isTall ? base - 10 : base - lower - upper - 8;
    return html`<g>
      <title>${`${name}: ${countText(taken.passed)} texts, ${shareText(taken.passRate)}`}</title>
      <rect class="svg-accepted" x="${x}" y="${round(base - lower)}" width="${width}" height="${round(lower)}" />
      <rect class="svg-relaxed" x="${x}" y="${round(base - lower - upper)}" width="${width}" height="${round(upper)}" />
      <text class="${isTall ? "value" : "tick"}" x="${middle}" y="${round(valueY)}" text-anchor="middle"
        >${shareText(taken.passRate)}</text
      >
      ${label}
    </g>`;
  });
  const targetY = round(base - heightOf(view.target));
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Share let in by step of relaxation">
    <line class="axis" x1="${LEFT}" y1="${base}" x2="${WIDTH - LEFT}" y2="${base}" />
    ${columns}
    <line class="target" x1="${LEFT}" y1="${targetY}" x2="${WIDTH - LEFT}" y2="${targetY}" />
    <text class="tick" x="${WIDTH - LEFT}" y="${targetY - 6}" text-anchor="end">target ${shareText(view.target)}</text>
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
