import type { CurateReport } from "../../lib/curate/curate-report.ts";
import { READ_REFUSALS } from "../readers/read-item.ts";
import { countText, plural, shareText } from "./number-text.ts";
import type { BarRow, Matrix, ReportView, Segment } from "./report-view.ts";

/** Rows of each list of the page; `report.json` has all of them. */
const ROWS_MAX = 14;
const MATRIX_ROWS_MAX = 12;
const MATRIX_COLUMNS_MAX = 8;

/** The page of a curation. Pure. */
export function curateView(report: CurateReport): ReportView {
  const { verdicts, relaxation, tokens } = report;
  const refusedCount = report.refusals.reduce((sum, { refusal_count: count }) => sum + count, 0);
  return {
    title: "Curation report",
    subtitle: `${report.created_at.slice(0, 16).replace("T", " ")} UTC · ${plural(report.file_count, "file")} · ${plural(report.sources.length, "source")}`,
    summary: summaryOf(report),
    tiles: [
      { label: "Texts", value: countText(report.input_count), note: `${countText(refusedCount)} not read` },
      { label: "Accepted", value: shareText(report.acceptance_rate), note: plural(verdicts.accepted, "text") },
      { label: "Relaxed", value: countText(relaxation.relaxed_count), note: `target ${shareText(relaxation.target)}` },
      { label: "Duplicates", value: countText(verdicts.duplicate), note: "an original is kept" },
      {
        label: "Tokens",
        value: tokens === null ? "–" : countText(tokens.token_count),
        note: tokens === null ? "not counted" : plural(tokens.chunk_count, "chunk"),
      },
    ],
    outcome: segmentsOf({ ...verdicts, relaxed: relaxation.relaxed_count }),
    relaxation: {
      target: relaxation.target,
      reached: relaxation.step,
      stepsMax: relaxation.steps_max,
      relaxedCount: relaxation.relaxed_count,
      steps: relaxation.steps.map(({ step, passed, pass_rate: passRate }) => ({ step, passed, passRate })),
    },
    sources: report.sources.map((source) => ({
      name: source.source,
      tier: source.tier,
      total: source.input_count,
      segments: segmentsOf(source),
    })),
    reasons: report.reasons.slice(0, ROWS_MAX).map(({ verdict, code, input_count: count }) => ({
      label: code,
      note: code === "relaxed_step" ? "let in by relaxation" : verdict,
      tone: verdict === "accepted" ? "relaxed" : verdict,
      count,
    })),
    matrix: matrixOf(report),
    lengths: report.lengths,
    pii: report.pii.slice(0, ROWS_MAX).map(piiRow),
    drift:
      report.drift === null
        ? null
        : {
            baseline: report.drift.baseline,
            rows: report.drift.dimensions.map(({ dimension, psi, js_bits: jsBits, verdict }) => ({
              dimension,
              psi,
              jsBits,
              verdict,
            })),
          },
    refusals: report.refusals.map(({ code, refusal_count: count, examples }) => ({
      code,
      meaning: readText(code),
      examples,
      count,
    })),
    facts: [
      { label: "Gate rules", value: `version ${report.versions.gate}` },
      { label: "Personal data rules", value: `version ${report.versions.pii_rules}` },
      { label: "Chunker", value: `version ${report.versions.chunker}` },
      { label: "Readers", value: `version ${report.versions.readers}` },
    ],
  };
}

function readText(code: string): string {
  return Object.entries(READ_REFUSALS).find(([known]) => known === code)?.[1] ?? code;
}

function summaryOf({ input_count: total, verdicts, acceptance_rate: rate, reasons }: CurateReport): string {
  if (total === 0) return "No text was read.";
  const [first] = reasons.filter(({ verdict }) => verdict === "quarantined" || verdict === "rejected");
  const why = first === undefined ? "" : ` The most frequent reason against a text is ${first.code}.`;
  return `${countText(verdicts.accepted)} of ${plural(total, "text")} are accepted (${shareText(rate)}).${why}`;
}

function segmentsOf(counts: {
  readonly accepted: number;
  readonly relaxed: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly rejected: number;
}): readonly Segment[] {
  return [
    { label: "accepted", tone: "accepted", count: counts.accepted - counts.relaxed },
    { label: "accepted, relaxed", tone: "relaxed", count: counts.relaxed },
    { label: "duplicate", tone: "duplicate", count: counts.duplicate },
    { label: "quarantined", tone: "quarantined", count: counts.quarantined },
    { label: "rejected", tone: "rejected", count: counts.rejected },
  ];
}

const ACTION_TONES = { allow: "neutral", redact: "accepted", quarantine: "quarantined", reject: "rejected" } as const;

function piiRow({ type, action, span_count: count, input_count: texts }: CurateReport["pii"][number]): BarRow {
  return { label: type, note: `${action}, in ${plural(texts, "text")}`, tone: ACTION_TONES[action], count };
}

function matrixOf({ source_reasons: cells }: CurateReport): Matrix | null {
  const rows = largest(cells.map(({ source, input_count: count }) => ({ name: source, count }))).slice(
    0,
    MATRIX_ROWS_MAX,
  );
  const columns = largest(cells.map(({ code, input_count: count }) => ({ name: code, count }))).slice(
    0,
    MATRIX_COLUMNS_MAX,
  );
  if (rows.length < 2) return null;
  const counts = rows.map((row) =>
    columns.map((column) => cells.find(({ source, code }) => source === row && code === column)?.input_count ?? 0),
  );
  return { rows, columns, counts };
}

/** Names by the sum of their counts, largest first. */
function largest(items: readonly { readonly name: string; readonly count: number }[]): string[] {
  const sums = new Map<string, number>();
  for (const { name, count } of items) sums.set(name, (sums.get(name) ?? 0) + count);
  return [...sums.entries()]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([name]) => name);
}
