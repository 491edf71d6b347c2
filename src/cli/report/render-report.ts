import { lengthHistogram, relaxationChart } from "./charts.ts";
import { html, Html, NOTHING } from "./html.ts";
import { plural } from "./number-text.ts";
import type { ReportView } from "./report-view.ts";
import { barList, card, driftTable, factList, heatTable, outcomeBody, refusalTable, sourceTable } from "./sections.ts";
import { STYLE_SHEET } from "./style-sheet.ts";

/** A report as one self-contained page: no script, and nothing is loaded from anywhere. Pure. */
export function renderReport(view: ReportView): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="referrer" content="no-referrer" />
        <title>${view.title}</title>
        <style>
          ${new Html(STYLE_SHEET)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${view.title}</h1>
            <p>${view.subtitle}</p>
            <p class="summary">${view.summary}</p>
          </header>
          <div class="tiles">
            ${view.tiles.map(({ label, value, note }) => html`<div class="tile"><span>${label}</span><b>${value}</b><span>${note}</span></div>`)}
          </div>
          ${cards(view)}
        </main>
      </body>
    </html> `;
  return page.markup;
}

function cards(view: ReportView): readonly Html[] {
  const { reasons, relaxation, lengths, pii, matrix, drift, refusals } = view;
  const left = [
    card(
      { title: "Reasons", note: "A text counts once for each rule that spoke." },
      barList(reasons, "Nothing spoke against any text."),
    ),
    optional(lengths.length > 0, () => lengthCard(view)),
  ];
  const right = [
    optional(relaxation !== null, () => relaxationCard(view)),
    card(
      {
        title: "Personal data and secrets",
        note: "What was found of the types that the policy acts on; types that it allows are not looked for.",
      },
      barList(pii, "None of these was found."),
    ),
  ];
  return [
    card({ title: "Verdicts", note: "Each text has exactly one." }, outcomeBody(view.outcome)),
    optional(view.sources.length > 0, () =>
      card({ title: "Acceptance by source", note: "Largest sources first." }, sourceTable(view.sources)),
    ),
    html`<div class="columns">
      <div>${left}</div>
      <div>${right}</div>
    </div>`,
    matrix === null
      ? NOTHING
      : card({ title: "Source by rule", note: "Texts that were not accepted." }, heatTable(matrix)),
    drift === null ? NOTHING : card({ title: "Drift", note: `Compared with ${drift.baseline}.` }, driftTable(drift)),
    optional(refusals.length > 0, () =>
      card({ title: "Not read", note: "Files and records that gave no text." }, refusalTable(refusals)),
    ),
    card({ title: "Made with", note: "Versions that decide over verdicts." }, factList(view.facts)),
  ];
}

function optional(isShown: boolean, make: () => Html): Html {
  return isShown ? make() : NOTHING;
}

function lengthCard({ lengths }: ReportView): Html {
  const hasOther = lengths.some(({ other }) => other > 0);
  const legend = html`<ul class="legend">
    <li><i class="fill-accepted"></i>accepted</li>
    <li><i class="fill-quarantined"></i>not accepted</li>
  </ul>`;
  return card(
    { title: "Lengths", note: "Characters of a text; the scale doubles with each bar." },
    html`${lengthHistogram(lengths)}${hasOther ? legend : NOTHING}`,
  );
}

function relaxationCard({ relaxation: view }: ReportView): Html {
  if (view === null) return NOTHING;
  const strictCount = plural(view.steps[0]?.passed ?? 0, "text");
  const reached = view.reached === view.stepsMax ? "the floor" : `step ${view.reached}`;
  const note =
    view.reached === 0
      ? `The strict thresholds were enough: ${strictCount} pass.`
      : `${strictCount} pass strictly; relaxed to ${reached}, ${plural(view.relaxedCount, "text")} came in that way.`;
  return card({ title: "Adaptive relaxation", note }, relaxationChart(view));
}
