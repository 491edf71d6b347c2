import type { CurateReport } from "../../lib/curate/curate-report.ts";
import { countText, plural, shareText } from "../report/number-text.ts";
import { type HashedDocument, planRequests } from "./plan-requests.ts";

/** What a live ingest would send. */
export interface IngestPlan {
  readonly batch_tag: string;
  readonly document_count: number;
  readonly request_count: number;
  readonly body_bytes: number;
}

/** The requests of a live ingest, counted. Pure. */
export function planIngest(documents: readonly HashedDocument[], batchTag: string): IngestPlan {
  const requests = planRequests(documents, batchTag);
  const bodyBytes = requests.reduce(
    (sum, request) => sum + Buffer.byteLength(JSON.stringify(request.documents.map(({ document }) => document))),
    0,
  );
  return {
    batch_tag: batchTag,
    document_count: documents.length,
    request_count: requests.length,
    body_bytes: bodyBytes,
  };
}

/** The simulation in Markdown, as the summary of a CI run shows it. Pure. */
export function simulationMarkdown(plan: IngestPlan, report: CurateReport): string {
  const { verdicts, tokens } = report;
  const rows = [
    ["documents", countText(plan.document_count)],
    ["requests", `${countText(plan.request_count)} (${countText(plan.body_bytes)} bytes)`],
    ["accepted", `${countText(verdicts.accepted)} (${shareText(report.acceptance_rate)})`],
    ["duplicate", countText(verdicts.duplicate)],
    ["quarantined", countText(verdicts.quarantined)],
    ["rejected", countText(verdicts.rejected)],
    [
      "relaxed",
      `${countText(report.relaxation.relaxed_count)} at step ${report.relaxation.step} of ${report.relaxation.steps_max}`,
    ],
    [
      "not read",
      plural(
        report.refusals.reduce((sum, refusal) => sum + refusal.refusal_count, 0),
        "record",
      ),
    ],
    ["chunks", tokens === null ? "not counted" : countText(tokens.chunk_count)],
    ["tokens", tokens === null ? "not counted" : countText(tokens.token_count)],
  ];
  const table = rows.map(([name, value]) => `| ${name} | ${value} |`).join("\n");
  const reasons = report.reasons
    .slice(0, 10)
    .map(({ code, verdict, input_count: inputs }) => `- ${countText(inputs)} × \`${code}\` (${verdict})`)
    .join("\n");
  return `## Ingest simulation\n\nBatch \`${plan.batch_tag}\`. Nothing was sent.\n\n| | |\n| --- | --- |\n${table}\n${reasons === "" ? "" : `\n### Reasons\n\n${reasons}\n`}`;
}
