import type { IngestReport, OutcomeCounts } from "../../lib/contract/batch.ts";
import type { DriftReport } from "../../lib/contract/drift.ts";
import { countText, plural, shareText } from "./number-text.ts";
import type { BarRow, ReportView, Segment } from "./report-view.ts";

/** Rows of each list of the page; the JSON has all of them. */
const ROWS_MAX = 14;

/** The page of a batch's ingest report, as the store counted it. Pure. */
export function ingestView(report: IngestReport, drift: DriftReport | undefined): ReportView {
  const { outcomes, document_count: total } = report;
  const stored = outcomes.indexed + outcomes.unchanged;
  const [firstModel] = report.models;
  return {
    title: `Batch ${report.batch_tag}`,
    subtitle: `${report.tenant_id} · ${report.state} · ${report.started_at?.slice(0, 16).replace("T", " ") ?? "no start"} UTC`,
    summary: `${countText(stored)} of ${plural(total, "input")} are in the store${total === 0 ? "" : ` (${shareText(stored / total)})`}.`,
    tiles: [
      { label: "Inputs", value: countText(total), note: plural(report.sources.length, "source") },
      { label: "In the store", value: countText(stored), note: `${countText(outcomes.unchanged)} unchanged` },
      { label: "Chunks", value: countText(report.chunk_count), note: `${countText(report.chunk_reused_count)} reused` },
      { label: "Tokens", value: countText(report.token_count), note: firstModel?.model_name ?? "no model" },
      {
        label: "Duration",
        value: report.duration_seconds === null ? "–" : `${report.duration_seconds.toFixed(1)} s`,
        note: rateText(report),
      },
    ],
    outcome: segmentsOf(outcomes),
    relaxation: null,
    sources: report.sources.slice(0, ROWS_MAX).map((source) => ({
      name: source.source,
      tier: source.tier,
      total: source.document_count,
      segments: segmentsOf(source.outcomes),
    })),
    reasons: report.reasons.slice(0, ROWS_MAX).map(({ outcome, code, input_count: count }) => ({
      label: code,
      note: outcome,
      tone: outcome === "quarantined" ? "quarantined" : outcome === "duplicate" ? "duplicate" : "rejected",
      count,
    })),
    matrix: null,
    lengths: report.lengths.map(({ characters_from: from, characters_below: to, input_count: count }) => ({
      from,
      to,
      accepted: count,
      other: 0,
    })),
    pii: report.pii.slice(0, ROWS_MAX).map(({ type, span_count: count, input_count: inputs }): BarRow => ({
      label: type,
      note: `in ${plural(inputs, "input")}`,
      tone: "neutral",
      count,
    })),
    drift: driftOf(drift),
    refusals: [],
    facts: [
      ...report.models.map(({ model_name: label, fingerprint }) => ({ label, value: fingerprint })),
      ...report.versions.map((version) => ({
        label: `Rules of ${plural(version.input_count, "input")}`,
        value: `gate ${version.gate_version}, personal data ${version.pii_version}, policy ${version.policy_version}`,
      })),
    ],
  };
}

function driftOf(drift: DriftReport | undefined): ReportView["drift"] {
  if (drift === undefined || drift.previous.dimensions.length === 0) return null;
  const rows = drift.previous.dimensions.map(({ dimension, psi, js: jsBits, verdict }) => ({
    dimension,
    psi,
    jsBits,
    verdict,
  }));
  return { baseline: drift.previous.batch_tags.join(", "), rows };
}

function rateText({ duration_seconds: seconds, chunk_count: chunks }: IngestReport): string {
  return seconds === null || seconds === 0 ? "no rate" : `${countText(Math.round(chunks / seconds))} chunks/s`;
}

function segmentsOf(outcomes: OutcomeCounts): readonly Segment[] {
  return [
    { label: "indexed", tone: "accepted", count: outcomes.indexed },
    { label: "unchanged", tone: "relaxed", count: outcomes.unchanged },
    { label: "duplicate", tone: "duplicate", count: outcomes.duplicate },
    { label: "quarantined", tone: "quarantined", count: outcomes.quarantined },
    { label: "rejected", tone: "rejected", count: outcomes.rejected },
    { label: "failed", tone: "neutral", count: outcomes.failed },
  ];
}
