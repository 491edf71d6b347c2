import { style } from "../terminal/style.ts";
import type { Inspection } from "./inspection.ts";

const COLOURS = {
  accepted: style.green,
  duplicate: style.cyan,
  quarantined: style.yellow,
  rejected: style.red,
} as const;
/** Spans and chunks shown of one text; `--json` has all of them. */
const SHOWN_MAX = 8;

/** An inspection as a person reads it: verdict, reasons, personal data by type and place, chunks. */
export function printInspection(inspection: Inspection): string {
  const lines = [`${style.bold(inspection.id)}  ${style.dim(facts(inspection))}`];
  const { verdict, duplicate_of: original } = inspection;
  if (verdict !== undefined) lines.push(`  ${COLOURS[verdict](verdict)}${reasonText(inspection)}`);
  if (original) lines.push(`  adds nothing to ${original.id} (${original.kind}, ${percent(original.similarity)})`);
  if (inspection.pii !== undefined) {
    for (const span of inspection.pii.spans.slice(0, SHOWN_MAX))
      lines.push(
        `  ${style.yellow(span.type)} ${span.start}–${span.end}  ${style.dim(`${span.detector}, ${span.score}`)}`,
      );
    const hidden = inspection.pii.spans.length - SHOWN_MAX;
    if (hidden > 0) lines.push(style.dim(`  and ${hidden} more`));
  }
  if (inspection.chunks !== undefined) {
    const { items, token_count: tokens } = inspection.chunks;
    const places = items.slice(0, SHOWN_MAX).map((chunk) => `${chunk.start}–${chunk.end} (${chunk.token_count})`);
    lines.push(
      `  ${items.length} chunks, ${tokens} tokens: ${style.dim(places.join("  "))}${items.length > SHOWN_MAX ? " …" : ""}`,
    );
  }
  return lines.join("\n");
}

function facts({ path, tier, source, characters }: Inspection): string {
  return `${path} · ${tier} · ${source} · ${characters} characters`;
}

function reasonText({ reasons = [], relaxed_step: step = 0 }: Inspection): string {
  const parts = reasons.map(({ code, measure, threshold }) =>
    measure === undefined ? code : `${code} ${measure}${threshold === undefined ? "" : ` (threshold ${threshold})`}`,
  );
  return `${step > 0 ? ` at relaxation step ${step}` : ""}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
