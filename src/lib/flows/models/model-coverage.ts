import type { R2Bucket } from "@cloudflare/workers-types";
import { ok, type Result } from "../../base/result.ts";
import type { ModelCoverage } from "../../contract/model.ts";
import type { Problem } from "../../contract/problem.ts";
import type { CoverageRow } from "../../db/queries/reembed.ts";
import type { Sql } from "../../db/sql.ts";
import { listIndexedTenants } from "./list-indexed-tenants.ts";
import { measureCoverage } from "./measure-coverage.ts";

export interface CoveragePage {
  readonly modelId: number;
  readonly afterTenant: string;
  readonly tenantsMax: number;
  /** Price of a million tokens, in any currency; undefined: costs are not asked for. */
  readonly millionTokensPrice: number | undefined;
}

/** How far a model has come, tenant by tenant, with what it cost and what is left. */
export async function modelCoverage(
  { sql, bucket }: { readonly sql: Sql; readonly bucket: R2Bucket },
  { modelId, afterTenant, tenantsMax, millionTokensPrice }: CoveragePage,
): Promise<Result<{ readonly tenants: ModelCoverage[]; readonly next: string | null }, Problem>> {
  const left = (await listIndexedTenants(bucket)).filter((tenantId) => tenantId > afterTenant);
  const tenants: ModelCoverage[] = [];
  for (const tenantId of left.slice(0, tenantsMax)) {
    const row = await measureCoverage(sql, { tenantId, modelId });
    if (!row.ok) return row;
    tenants.push(coverageOf(tenantId, row.value, millionTokensPrice));
  }
  return ok({ tenants, next: left.length > tenantsMax ? (left[tenantsMax - 1] ?? null) : null });
}

/** A row as the wire shows it. Pure. */
function coverageOf(tenantId: string, row: CoverageRow, millionTokensPrice: number | undefined): ModelCoverage {
  const { own_count: _own, embed_ms: embedMs, ...counts } = row;
  const rate = embedMs > 0 ? (row.embedded_tokens * 1000) / embedMs : null;
  const costOf = (tokens: number): number | null =>
    millionTokensPrice === undefined ? null : (tokens / 1_000_000) * millionTokensPrice;
  return {
    tenant_id: tenantId,
    ...counts,
    embed_seconds: embedMs / 1000,
    tokens_per_second: rate,
    eta_seconds: row.missing_count === 0 ? 0 : rate === null || rate === 0 ? null : row.missing_tokens / rate,
    cost: costOf(row.embedded_tokens),
    cost_left: costOf(row.missing_tokens),
  };
}
