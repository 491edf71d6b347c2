import type { WalDocument } from "../lib/contract/wal-record.ts";
import { SourceNames } from "../lib/metrics/source-names.ts";
import type { Metrics } from "./metrics.ts";

const sources = new SourceNames();

/** Counts inputs at the edge, documents and events alike, by verdict, by source and by the personal data found in them. */
export function countInputs(metrics: Pick<Metrics, "count">, documents: readonly WalDocument[]): void {
  for (const [verdict, list] of Map.groupBy(documents, (document) => document.verdict)) {
    // What is a duplicate is counted by the store, which has the last word on it.
    if (verdict !== "duplicate") metrics.count("ingest_processed_total", { outcome: verdict }, list.length);
  }
  for (const document of documents) countInput(metrics, document);
}

function countInput(
  metrics: Pick<Metrics, "count">,
  { verdict, reasons, source, curation }: Pick<WalDocument, "verdict" | "reasons" | "source" | "curation">,
): void {
  const label = sources.labelOf(source);
  metrics.count("ingest_source_inputs_total", { source: label, outcome: verdict });
  if (verdict === "rejected") metrics.count("ingest_rejected_total", { code: reasons[0]?.code ?? "unknown" });
  if ((curation?.relaxed_step ?? 0) > 0) metrics.count("ingest_relaxed_total", { source: label });
  for (const [type, count] of Object.entries(curation?.pii_counts ?? {}))
    metrics.count("pii_spans_total", { type }, count);
}
