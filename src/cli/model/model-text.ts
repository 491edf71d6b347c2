import type { ModelComparison, ModelCoverage, Overlap, Promotion, RegisteredModel } from "../../lib/contract/model.ts";
import { countText, plural, shareText } from "../report/number-text.ts";
import { style } from "../terminal/style.ts";
import { tableLines } from "../terminal/table.ts";

const COLOURS: Readonly<Record<RegisteredModel["state"], (text: string) => string>> = {
  active: style.green,
  shadow: style.cyan,
  retired: style.dim,
};

/** Models, oldest first. */
export function modelTable(models: readonly RegisteredModel[]): string {
  const head = ["model", "state", "name", "revision", "dimensions", "tokens", "fingerprint"].map((cell) =>
    style.bold(cell),
  );
  const rows = models.map((model) => [
    String(model.model_id),
    COLOURS[model.state](model.state),
    model.model_name,
    model.revision.slice(0, 12),
    String(model.dimensions),
    String(model.max_input_tokens),
    model.fingerprint.slice(0, 16),
  ]);
  return tableLines([head, ...rows]).join("\n");
}

/** How far a model has come by tenant, with the sum over all. */
export function coverageTable(tenants: readonly ModelCoverage[]): string {
  const head = [
    "tenant",
    "documents",
    "covered",
    "missing",
    "refused",
    "chunks",
    "active chunks",
    "tokens",
    "tokens/s",
    "ETA",
    "cost",
    "cost left",
  ];
  const rows = tenants.map((tenant) => [
    tenant.tenant_id,
    countText(tenant.document_count),
    partText(tenant.covered_count, tenant.document_count),
    countText(tenant.missing_count),
    refusedText(tenant),
    countText(tenant.chunk_count),
    countText(tenant.active_chunk_count),
    countText(tenant.embedded_tokens),
    tenant.tokens_per_second === null ? "" : countText(Math.round(tenant.tokens_per_second)),
    tenant.eta_seconds === null ? "?" : `${countText(Math.ceil(tenant.eta_seconds))} s`,
    tenant.cost === null ? "" : tenant.cost.toFixed(4),
    tenant.cost_left === null ? "" : tenant.cost_left.toFixed(4),
  ]);
  return tableLines([head.map((cell) => style.bold(cell)), ...rows]).join("\n");
}

function partText(part: number, whole: number): string {
  return whole === 0 ? "-" : shareText(part / whole);
}

function refusedText({ refused_count: count, refusals }: ModelCoverage): string {
  const codes = Object.entries(refusals).map(([code, n]) => `${code} ${n}`);
  return count === 0 ? "0" : style.yellow(`${countText(count)} (${codes.join(", ")})`);
}

/** How alike two models answer. */
export function comparisonText(compared: ModelComparison): string {
  const { k, query_count: count, drawn, covered_count: covered, document_count: all } = compared;
  const head = ["", `overlap@${k}`, "least", "same first", "mean move", "largest move"].map((cell) => style.bold(cell));
  return [
    `${countText(count)} ${count === 1 ? "query" : "queries"} ${drawn ? "drawn from titles and texts" : "of the file"}; ${partText(covered, all)} of ${plural(all, "document")} covered`,
    ...tableLines([head, overlapRow("vectors alone", compared.vector), overlapRow("as a search", compared.hybrid)]),
  ].join("\n");
}

function overlapRow(name: string, overlap: Overlap): readonly string[] {
  return [
    name,
    overlap.overlap_mean.toFixed(3),
    overlap.overlap_min.toFixed(2),
    `${(100 * overlap.same_first_share).toFixed(0)} %`,
    `${overlap.rank_move_mean.toFixed(2)} places`,
    String(overlap.rank_move_max),
  ];
}

export function promotionText(done: Promotion): string {
  if (done.was_active) return `model ${done.model_id} was the active one already`;
  const lacking = done.missing_count + done.refused_count;
  return [
    `model ${style.bold(String(done.model_id))} is the active one: ${plural(done.document_count, "document")}`,
    `${countText(done.caught_up_count)} embedded while indexing waited for ${done.held_seconds.toFixed(1)} s`,
    ...(lacking > done.caught_up_count
      ? [style.yellow(`${countText(lacking - done.caught_up_count)} lack something of it: jeeves model status`)]
      : []),
  ].join("\n");
}
