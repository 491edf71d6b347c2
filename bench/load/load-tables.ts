/** The levels and the phases of a load run, as cards of its page. Pure. */
import { html, type Html, NOTHING } from "../../src/cli/report/html.ts";
import { countText } from "../../src/cli/report/number-text.ts";
import { card } from "../../src/cli/report/sections.ts";
import { lineChart, type Line } from "./line-chart.ts";
import type { Latency, LoadReport, Phase } from "./load-report.ts";

export function levelCard({ phases, options }: LoadReport): Html {
  const levels = phases.filter(({ kind }) => kind === "level");
  const line = (name: string, tone: string, value: (phase: Phase) => number | null): Line => ({
    name,
    tone,
    points: levels.map((phase) => [phase.ratePerSecond ?? 0, value(phase)]),
  });
  const rows = levels.map(
    ({ name, ratePerSecond, verdict, backlogMost }) =>
      html`<tr>
        <td class="name">${name}</td>
        <td class="number">${(ratePerSecond ?? 0).toFixed(1)}/s</td>
        <td class="number">${countText(backlogMost)}</td>
        <td>
          ${verdict?.holds === true ? html`<span class="holds">holds</span>` : html`<span class="bends">bends</span><small>${verdict?.reasons.join("; ") ?? ""}</small>`}
        </td>
      </tr>`,
  );
  const note = `Arrivals at random (Poisson), each at its moment whatever the service does. A level bends when something is refused, when the backlog grows over its second half, or when p95 until searchable passes ${countText(options.searchableBoundMs)} ms.`;
  return card(
    { title: "Levels", note },
    html`<div class="scroll">
        ${lineChart({
          label: "Latency until searchable by arrivals",
          unit: "ms",
          lines: [
            line("searchable p50", "line-1", ({ searchable }) => searchable.p50),
            line("searchable p95", "line-3", ({ searchable }) => searchable.p95),
            line("search p95", "line-2", ({ search }) => search.p95),
          ],
          xTicks: levels.map(({ ratePerSecond }) => ratePerSecond ?? 0),
          xLabel: (rate) => `${rate.toFixed(1)}/s`,
          hasDots: true,
          bound: { value: options.searchableBoundMs, name: "bound of p95" },
        })}
      </div>
      <div class="scroll levels">
        <table>
          <tr>
            <th>level</th>
            <th class="number">arrivals</th>
            <th class="number">most backlog</th>
            <th>verdict</th>
          </tr>
          ${rows}
        </table>
      </div>`,
  );
}

export function phaseTable(phases: readonly Phase[]): Html {
  const rows = phases.map((phase) => {
    const { name, requests, lost, verified, outcomes } = phase;
    const wrong = requests.other + requests.unanswered;
    const ended = Object.entries(outcomes).map(([outcome, count]) => `${countText(count)} ${outcome}`);
    return html`<tr>
      <td class="name">${name}<small>${ended.join(", ")}</small></td>
      <td class="number">${countText(requests.sent)}</td>
      <td class="number">${countText(requests.accepted)}</td>
      <td class="number">
        ${countText(requests.refused)}${wrong > 0 ? html`<small>${countText(wrong)} otherwise</small>` : NOTHING}
      </td>
      <td class="number">${countText(lost)}<small>${verified.held}/${verified.asked} verified</small></td>
      <td class="number">${threeOf(phase.accept)}</td>
      <td class="number">${threeOf(phase.searchable)}<small>by token ${threeOf(phase.searchableByToken)}</small></td>
      <td class="number">
        ${threeOf(phase.search)}${phase.searchesFailed > 0 ? html`<small>${phase.searchesFailed} failed</small>` : NOTHING}
      </td>
    </tr>`;
  });
  return html`<div class="scroll">
    <table>
      <tr>
        <th>phase</th>
        <th class="number">sent</th>
        <th class="number">202</th>
        <th class="number">refused</th>
        <th class="number">lost</th>
        <th class="number">accept</th>
        <th class="number">searchable</th>
        <th class="number">search</th>
      </tr>
      ${rows}
    </table>
  </div>`;
}

function threeOf({ p50, p95, p99 }: Latency): string {
  if (p50 === null || p95 === null || p99 === null) return "–";
  return [p50, p95, p99].map((value) => countText(Math.round(value))).join(" / ");
}
