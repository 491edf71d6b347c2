/** A load run as one self-contained page: no script, and nothing is loaded from anywhere. Pure. */
import { html, Html, NOTHING } from "../../src/cli/report/html.ts";
import { countText } from "../../src/cli/report/number-text.ts";
import { card } from "../../src/cli/report/sections.ts";
import { STYLE_SHEET } from "../../src/cli/report/style-sheet.ts";
import { sum } from "../support/statistics.ts";
import { lineChart, timeTicks, type Band, type Line } from "./line-chart.ts";
import type { Latency, LoadReport, Phase } from "./load-report.ts";

const PLOT_STYLE = `
.plot{margin:0}.plot svg{max-width:none}.plot .tick{font-size:12px}
.plot path{fill:none;stroke-width:2;stroke-linejoin:round}
.plot figcaption{display:flex;flex-wrap:wrap;gap:4px 20px;margin-top:6px;font-size:13px;color:var(--soft)}
.plot .key{display:flex;align-items:center;gap:8px}.plot .key b{font-weight:500;color:var(--ink)}.plot .key i{width:14px;height:3px;border-radius:2px}
.band{fill:var(--faint);opacity:.55}.band.heavy{fill:var(--rejected);opacity:.14}
path.line-1{stroke:var(--accepted)}path.line-2{stroke:var(--duplicate)}path.line-3{stroke:var(--quarantined)}path.line-4{stroke:var(--rejected)}
circle.line-1{fill:var(--accepted)}circle.line-2{fill:var(--duplicate)}circle.line-3{fill:var(--quarantined)}circle.line-4{fill:var(--rejected)}
i.line-1{background:var(--accepted)}i.line-2{background:var(--duplicate)}i.line-3{background:var(--quarantined)}i.line-4{background:var(--rejected)}
.holds{color:var(--accepted);font-weight:600}.bends{color:var(--rejected);font-weight:600}
td small,.name small{display:block;margin:0;color:var(--soft)}.levels{margin-top:20px}.levels td:last-child,.levels th:last-child{padding-left:28px}
@media (max-width:820px){.plot{min-width:640px}}
`;

export function renderLoadReport(report: LoadReport): string {
  const { machine, options, startedAt } = report;
  const subtitle = `${startedAt.slice(0, 16).replace("T", " ")} UTC · ${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, Node ${machine.node} · load of the machine ${machine.loadBefore.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after · database ${options.database} · seed ${options.seed}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>Load on Jeeves Indexer</title>
        <style>
          ${new Html(STYLE_SHEET + PLOT_STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>Load on the whole stack</h1>
            <p>${subtitle}</p>
            <p class="summary">${summarySentence(report)}</p>
          </header>
          <div class="tiles">${tiles(report)}</div>
          ${cards(report)}
        </main>
      </body>
    </html> `;
  return page.markup;
}

function summarySentence({ phases, holdsAtPerSecond, bendsAtPerSecond, options }: LoadReport): string {
  const lost = sum(phases.map((phase) => phase.lost));
  const accepted = sum(phases.map(({ requests }) => requests.accepted));
  const holds = holdsAtPerSecond === null ? "No level held" : `${holdsAtPerSecond.toFixed(1)} documents a second hold`;
  const bends = bendsAtPerSecond === null ? "none that was tried bends" : `${bendsAtPerSecond.toFixed(1)} bend`;
  const kept = lost === 0 ? "none is lost" : `${countText(lost)} are lost`;
  return `${holds}, ${bends}. Of ${countText(accepted)} accepted documents ${kept}, counted afterwards by their receipts. Documents have about ${countText(options.charactersMin)} characters.`;
}

function tiles({ phases, recovery, capacityPerSecond }: LoadReport): readonly Html[] {
  const bulk = phases[0];
  const overload = phases.find(({ kind }) => kind === "overload");
  const calm = phases.find(({ kind }) => kind === "level");
  const seconds = (value: number | null | undefined): string =>
    value === null || value === undefined ? "not seen" : `${value.toFixed(0)} s`;
  const of = (label: string, value: string, note: string): Html =>
    html`<div class="tile"><span>${label}</span><b>${value}</b><span>${note}</span></div>`;
  return [
    of(
      "Throughput",
      `${(bulk?.chunksPerSecond ?? 0).toFixed(0)}/s`,
      `chunks; ${capacityPerSecond.toFixed(1)} documents/s in bulk`,
    ),
    of("Searchable", ms(calm?.searchable.p95), "p95 of the lowest level"),
    of("Search", ms(calm?.search.p95), "p95 of the lowest level"),
    of(
      "Refused",
      countText(overload?.requests.refused ?? 0),
      `of ${countText(overload?.requests.sent ?? 0)} in the overload`,
    ),
    of("Backlog gone", seconds(recovery?.backlogGoneSeconds), "after the overload ended"),
    of("As before", seconds(recovery?.normalSeconds), "after the overload ended"),
  ];
}

function cards(report: LoadReport): readonly Html[] {
  const { phases, queue, memory, options } = report;
  const bands = bandsOf(phases);
  const xTicks = timeTicks(Math.max(0, ...queue.map(({ second }) => second)));
  const clock = (second: number): string =>
    `${Math.floor(second / 60)}:${String(Math.floor(second % 60)).padStart(2, "0")}`;
  const perSecond = (name: string, tone: string, value: (second: Phase["seconds"][number]) => number): Line => ({
    name,
    tone,
    points: pointsOf(phases, value),
  });
  const plot = (title: string, note: string, unit: string, lines: readonly Line[]): Html =>
    card(
      { title, note },
      html`<div class="scroll">${lineChart({ label: title, unit, lines, bands, xTicks, xLabel: clock })}</div>`,
    );
  return [
    card(
      {
        title: "Phases",
        note: "Latencies in milliseconds, p50 / p95 / p99; of open-loop phases they count from the moment that was planned.",
      },
      phaseTable(phases),
    ),
    levelCard(report),
    plot(
      "Throughput",
      "Chunks that became searchable, by the time in their receipts; mean of five seconds.",
      "chunks/s",
      [{ name: "searchable", tone: "line-1", points: smoothed(pointsOf(phases, ({ chunks }) => chunks)) }],
    ),
    plot("Requests", "Answers a second: 202, and 429 or 503 with Retry-After.", "/s", [
      perSecond("accepted", "line-1", ({ accepted }) => accepted),
      perSecond("refused", "line-4", ({ refused }) => refused),
    ]),
    plot(
      "Backlog",
      `Accepted and not yet searchable, and messages in the queue as /metrics says. The service refuses above ${options.backlogMax} messages.`,
      "",
      [
        perSecond("documents not searchable", "line-3", ({ backlog }) => backlog),
        {
          name: "messages in the queue",
          tone: "line-2",
          points: queue.map(({ second, messages }) => [second, messages]),
        },
      ],
    ),
    plot(
      "Memory",
      "Resident memory by part, all of its processes together; Postgres' processes share pages that count in each.",
      "MiB",
      memoryLines(memory),
    ),
  ];
}

function levelCard({ phases, options }: LoadReport): Html {
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

function phaseTable(phases: readonly Phase[]): Html {
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

function bandsOf(phases: readonly Phase[]): readonly Band[] {
  return phases.map(({ name, kind, startSecond, endSecond }) => ({
    name: name.replace(/^level |,.*/g, ""),
    from: startSecond,
    to: endSecond,
    isHeavy: kind === "overload",
  }));
}

/** One value a second over the whole run: phases overlap where one is worked off while the next one begins, and then they add up. */
function pointsOf(
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

function smoothed(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  return points.map(([second], index) => {
    const near = points.slice(Math.max(0, index - 2), index - 2 + SMOOTHED_POINTS);
    return [second, sum(near.map(([, value]) => value)) / near.length];
  });
}

const TONES = ["line-1", "line-2", "line-3", "line-4"] as const;

function memoryLines(memory: LoadReport["memory"]): readonly Line[] {
  return [...Map.groupBy(memory, ({ part }) => part)].map(([part, processes], index) => {
    const bySecond = new Map<number, number>();
    for (const [second, mib] of processes.flatMap(({ samples }) => samples))
      bySecond.set(second, (bySecond.get(second) ?? 0) + mib);
    const name = processes.length === 1 ? part : `${part} (${processes.length} processes over time)`;
    return { name, tone: TONES[index % TONES.length] ?? "line-1", points: [...bySecond].toSorted(([a], [b]) => a - b) };
  });
}

function threeOf({ p50, p95, p99 }: Latency): string {
  if (p50 === null || p95 === null || p99 === null) return "–";
  return [p50, p95, p99].map((value) => countText(Math.round(value))).join(" / ");
}

function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value < 1_000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;
}
