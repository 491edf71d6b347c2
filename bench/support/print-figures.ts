import { meets, ratiosOf, type BenchReport, type Figure } from "./figure.ts";
import { median } from "./statistics.ts";

function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function medianAndSpread(samples: readonly number[]): string {
  const middle = short(median(samples));
  return samples.length === 1 ? middle : `${middle} (${short(Math.min(...samples))}–${short(Math.max(...samples))})`;
}

function verdict(figure: Figure): string {
  const sign = figure.isCost === true ? "≤" : "≥";
  const bounds = [
    figure.target === undefined
      ? []
      : [`${sign} ${figure.target}${meets(figure, figure.target) === true ? " met" : " MISSED"}`],
    figure.aim === undefined ? [] : [`aim ${figure.aim}${meets(figure, figure.aim) === true ? " met" : ""}`],
  ];
  return bounds.flat().join(", ");
}

const HEADINGS = [
  "figure",
  "unit",
  "ours: median (range)",
  "opponent: median (range)",
  "ratio: median (range)",
  "target",
];

function cellsOf(figure: Figure): readonly string[] {
  const { ours, opponent } = figure;
  return [
    figure.name,
    figure.unit,
    medianAndSpread(ours.samples),
    opponent === undefined ? "" : `${opponent.name} ${medianAndSpread(opponent.samples)}`,
    opponent === undefined ? "" : medianAndSpread(ratiosOf(figure)),
    verdict(figure),
  ];
}

/** Markdown table of the figures, its columns aligned for a terminal as well. Pure. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(rows[0] ?? []), rule, ...rows.slice(1).map(line)].join("\n");
}

/** Everything that one bench has to say. */
export function printReport(report: BenchReport): void {
  if (report.figures.length > 0) console.log(`\n${figureTable(report.figures)}`);
  for (const figure of report.figures) if (figure.note !== undefined) console.log(`  ${figure.name}: ${figure.note}`);
  for (const line of report.details) console.log(`  ${line}`);
  for (const reason of report.skipped) console.log(`  skipped: ${reason}`);
}
