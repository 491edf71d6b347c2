import { stackedBar } from "./charts.ts";
import { html, type Html, NOTHING } from "./html.ts";
import { countText, shareText } from "./number-text.ts";
import type { BarRow, Matrix, ReportView, Segment, SourceRow } from "./report-view.ts";

/** A card of the page. */
export function card(options: { readonly title: string; readonly note: string }, body: Html): Html {
  return html`<section class="card">
    <h2>${options.title}</h2>
    <p>${options.note}</p>
    <div class="body">${body}</div>
  </section>`;
}

export function outcomeBody(segments: readonly Segment[]): Html {
  const total = segments.reduce((sum, { count }) => sum + count, 0);
  const shown = segments.filter(({ count, tone }) => count > 0 || tone === "accepted");
  const items = shown.map(
    ({ label, tone, count }) =>
      html`<li>
        <i class="fill-${tone}"></i>${label} <b>${countText(count)}</b>
        <span>${total === 0 ? "" : shareText(count / total)}</span>
      </li>`,
  );
  return html`<div class="tall">${stackedBar(segments, "Verdicts")}</div>
    <ul class="legend">
      ${items}
    </ul>`;
}

export function sourceTable(rows: readonly SourceRow[]): Html {
  const lines = rows.map((row) => {
    const accepted = row.segments
      .filter(({ tone }) => tone === "accepted" || tone === "relaxed")
      .reduce((sum, { count }) => sum + count, 0);
    const relaxed = row.segments.find(({ tone }) => tone === "relaxed")?.count ?? 0;
    return html`<tr>
      <td class="name">${row.name === "" ? "(none)" : row.name}<small>${row.tier}</small></td>
      <td class="number">${countText(row.total)}</td>
      <td class="wide">${stackedBar(row.segments, row.name)}</td>
      <td class="number">${row.total === 0 ? "–" : shareText(accepted / row.total)}</td>
      <td class="number optional">${relaxed === 0 ? "–" : countText(relaxed)}</td>
    </tr>`;
  });
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Source</th>
          <th class="number">Texts</th>
          <th class="wide">Verdicts</th>
          <th class="number">Accepted</th>
          <th class="number optional">Relaxed</th>
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div>`;
}

export function barList(rows: readonly BarRow[], emptyNote: string): Html {
  if (rows.length === 0) return html`<p class="empty-note">${emptyNote}</p>`;
  const most = Math.max(...rows.map(({ count }) => count));
  const lines = rows.map(
    ({ label, note, tone, count }) =>
      html`<div class="bar">
        <div class="label">${label}${note === "" ? NOTHING : html`<small>${note}</small>`}</div>
        <div class="track">
          <i class="fill-${tone}" style="width:${Math.max(1, Math.round((count / most) * 100))}%"></i>
        </div>
        <div class="number">${countText(count)}</div>
      </div>`,
  );
  return html`<div class="bars">${lines}</div>`;
}

/** Strongest tint of a cell; the text on it has to stay readable. */
const HEAT_MAX = 0.45;

export function heatTable({ rows, columns, counts }: Matrix): Html {
  const most = Math.max(1, ...counts.flat());
  const lines = rows.map((name, row) => {
    const cells = columns.map((_, column) => {
      const count = counts[row]?.[column] ?? 0;
      const tint = count === 0 ? 0 : 0.08 + (count / most) * (HEAT_MAX - 0.08);
      return html`<td class="cell" style="background:rgba(var(--heat),${tint.toFixed(2)})">
        ${count === 0 ? "" : countText(count)}
      </td>`;
    });
    return html`<tr>
      <td>${name === "" ? "(none)" : name}</td>
      ${cells}
    </tr>`;
  });
  const heads = columns.map((column) => html`<th class="number">${column}</th>`);
  return html`<div class="scroll">
    <table class="heat">
      <thead>
        <tr>
          <th>Source</th>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div>`;
}

const VERDICT_WORDS = { steady: "steady", drifted: "drifted", too_few: "too few texts" } as const;

export function driftTable({ rows }: NonNullable<ReportView["drift"]>): Html {
  const lines = rows.map(
    ({ dimension, psi, jsBits, verdict }) =>
      html`<tr>
        <td class="name">${dimension}</td>
        <td class="number">${psi.toFixed(3)}</td>
        <td class="number">${jsBits.toFixed(3)}</td>
        <td class="number">
          <span class="badge ${verdict}">${VERDICT_WORDS[verdict]}</span>
        </td>
      </tr>`,
  );
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Dimension</th>
          <th class="number">PSI</th>
          <th class="number">JS, bits</th>
          <th class="number"></th>
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div>`;
}

export function refusalTable(rows: ReportView["refusals"]): Html {
  const lines = rows.map(
    ({ code, meaning, examples, count }) =>
      html`<tr>
        <td class="name">
          ${code}<small>${meaning}</small>
          <div class="paths">${examples.map((path) => html`<div>${path}</div>`)}</div>
        </td>
        <td class="number top">${countText(count)}</td>
      </tr>`,
  );
  return html`<table>
    <tbody>
      ${lines}
    </tbody>
  </table>`;
}

export function factList(facts: ReportView["facts"]): Html {
  return html`<dl>
    ${facts.map(
      ({ label, value }) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
