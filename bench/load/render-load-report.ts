/** A load run as one self-contained page: no script, and nothing is loaded from anywhere. Pure. */
import { html, Html } from "../../src/cli/report/html.ts";
import { countText } from "../../src/cli/report/number-text.ts";
import { card } from "../../src/cli/report/sections.ts";
import { STYLE_SHEET } from "../../src/cli/report/style-sheet.ts";
import { sum } from "../support/statistics.ts";
import { lineChart, timeTicks, type Line } from "./line-chart.ts";
import type { LoadReport, Phase } from "./load-report.ts";
import { bandsOf, memoryLines, pointsOf, smoothed } from "./load-series.ts";
import { levelCard, phaseTable } from "./load-tables.ts";

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

function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value < 1_000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;
}
