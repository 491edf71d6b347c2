import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import { ok, type Result } from "../../base/result.ts";
import { hasVectorRowSchema, SELECT_HAS_VECTOR } from "../../db/queries/maintenance.ts";
import { searchedModelRowSchema, selectSearchedModels } from "../../db/queries/search-maintenance.ts";
import { scopeRowSchema, selectScopesOfTenant } from "../../db/queries/search-recall.ts";
import type { SqlError } from "../../db/sql.ts";
import { EXACT_ROWS_MAX } from "../searching/find-candidates.ts";
import type { Job, JobContext, JobGauge, JobOutcome, JobRun } from "../jobs/job.ts";
import { knownTenants } from "../tenants/known-tenants.ts";
import {
  addRecall,
  countFound,
  knownAnswers,
  NO_RECALL,
  RECALL_MIN,
  recallOf,
  type RecallTally,
} from "./measure-recall.ts";

interface ProbeContext extends JobContext {
  readonly bucket: R2Bucket;
}

interface ProbedModel {
  readonly modelId: number;
  readonly dimensions: number;
}

interface AskedTenant {
  readonly tenantId: string;
  readonly rotation: number;
  readonly chunksMin: number;
  readonly isSpent: () => boolean;
}

interface TenantRecall {
  readonly tally: RecallTally;
  readonly scopeCount: number;
}

interface ProbeReport {
  /** No scope that was looked at is large enough for an index: every answer is exact. */
  readonly exact: boolean;
  readonly tenantCount: number;
  readonly models: readonly {
    readonly model_id: number;
    readonly recall: number;
    readonly sample_count: number;
    readonly scope_count: number;
  }[];
  /** Tenants whose searches miss too much, at most `LOW_MAX`. */
  readonly low: readonly { readonly tenant_id: string; readonly model_id: number; readonly recall: number }[];
  /** Tenants that could not be asked. */
  readonly failedCount: number;
}

/** Scopes of a tenant in one run, and samples of each. Looking at every row of a scope of a million takes two seconds. */
const SCOPES_OF_TENANT = 2;
const SAMPLES_OF_SCOPE = 5;
/** Neighbours from which on a tenant's share says something: below, one sample decides. */
const WANTED_MIN = 50;
const LOW_MAX = 100;

const cursorSchema = z.object({ after_tenant: z.string().default(""), rotation: z.int().default(0) });

/** The probe of this deployment: scopes that `findCandidates` leaves to the index. */
export const RECALL_PROBE_JOB = recallProbe(EXACT_ROWS_MAX);

/**
 * Searches of scopes over `chunksMin` chunks, answered by the index in use, against exact ones: tenant by tenant, each run with other scopes and samples.
 * Failed: some tenant's searches find less than `RECALL_MIN` of the ten nearest; `jeeves build-index` measures and mends. Reads only: a dry run is a run.
 */
export function recallProbe(chunksMin: number): Job<ProbeContext, ProbeReport> {
  return {
    name: "recall_probe",
    summary: "asks large scopes for stored vectors by the index and by looking at every row, and compares",
    cron: "0 * * * *",
    timeMsMax: 2 * MINUTE_MS,
    run: (context, run) => probe(context, run, chunksMin),
  };
}

async function probe(context: ProbeContext, run: JobRun, chunksMin: number): Promise<JobOutcome<ProbeReport>> {
  const place = cursorSchema.parse(run.cursor);
  const round = new Round();
  const models = await probedModels(context);
  if (!models.ok) return { report: round.report(1), outcome: "failed", cursor: place };
  const tenants = (await knownTenants(context.bucket)).filter((each) => each > place.after_tenant);
  let last: string | undefined;
  for (const tenantId of tenants) {
    if (run.budget.isSpent()) break;
    const asked = { tenantId, rotation: place.rotation, chunksMin, isSpent: () => run.budget.isSpent() };
    for (const model of models.value) round.note(asked, model, await measureTenant(context, model, asked));
    round.tenantCount += 1;
    last = tenantId;
  }
  const isDone = last === tenants.at(-1);
  const report = round.report();
  const isLow = report.low.length + report.failedCount > 0;
  return {
    report,
    outcome: isLow ? "failed" : isDone ? "done" : "partial",
    cursor: isDone ? { rotation: place.rotation + 1 } : { ...place, after_tenant: last ?? place.after_tenant },
    gauges: gaugesOf(report, models.value),
  };
}

/** What one run found out. */
class Round {
  tenantCount = 0;
  failedCount = 0;
  readonly #models = new Map<number, { tally: RecallTally; scopeCount: number }>();
  readonly #low: { tenant_id: string; model_id: number; recall: number }[] = [];

  note({ tenantId }: AskedTenant, { modelId }: ProbedModel, found: Result<TenantRecall, SqlError>): void {
    if (!found.ok) {
      this.failedCount += 1;
      return;
    }
    const { tally, scopeCount } = this.#models.get(modelId) ?? { tally: NO_RECALL, scopeCount: 0 };
    this.#models.set(modelId, {
      tally: addRecall(tally, found.value.tally),
      scopeCount: scopeCount + found.value.scopeCount,
    });
    const recall = recallOf(found.value.tally);
    if (found.value.tally.wantedCount < WANTED_MIN || recall >= RECALL_MIN || this.#low.length >= LOW_MAX) return;
    this.#low.push({ tenant_id: tenantId, model_id: modelId, recall });
  }

  report(failedCount = this.failedCount): ProbeReport {
    const models = [...this.#models].map(([modelId, { tally, scopeCount }]) => ({
      model_id: modelId,
      recall: recallOf(tally),
      sample_count: tally.sampleCount,
      scope_count: scopeCount,
    }));
    const exact = models.every(({ scope_count: scopes }) => scopes === 0);
    return { exact, tenantCount: this.tenantCount, models, low: this.#low, failedCount };
  }
}

async function probedModels({ sql }: ProbeContext): Promise<Result<readonly ProbedModel[], SqlError>> {
  const variant = await sql.query(SELECT_HAS_VECTOR);
  if (!variant.ok) return variant;
  // Without vectors of their own type there is no index, and every answer is exact.
  if (!variant.value.some((row) => hasVectorRowSchema.parse(row).has_vector)) return ok([]);
  const rows = await sql.query(selectSearchedModels());
  if (!rows.ok) return rows;
  return ok(
    rows.value.map((row) => {
      const { model_id: modelId, dimensions } = searchedModelRowSchema.parse(row);
      return { modelId, dimensions };
    }),
  );
}

async function measureTenant(
  { sql }: ProbeContext,
  model: ProbedModel,
  { tenantId, rotation, chunksMin, isSpent }: AskedTenant,
): Promise<Result<TenantRecall, SqlError>> {
  const large = { modelId: model.modelId, chunksMin, rowsMax: SCOPES_OF_TENANT };
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectScopesOfTenant(tenantId, large, rotation)], {
    readOnly: true,
  });
  if (!rows.ok) return rows;
  let tally = NO_RECALL;
  const scopes = (rows.value[0] ?? []).map((row) => scopeRowSchema.parse(row));
  for (const { user_id: userId } of scopes) {
    const scope = { tenantId, userId };
    const asked = { scope, model, chunksMin, sampleCount: SAMPLES_OF_SCOPE, rotation, isSpent };
    const known = await knownAnswers(sql, asked);
    if (!known.ok) return known;
    const found = await countFound(sql, known.value);
    if (!found.ok) return found;
    tally = addRecall(tally, found.value);
  }
  return ok({ tally, scopeCount: scopes.length });
}

function gaugesOf({ models }: ProbeReport, probed: readonly ProbedModel[]): readonly JobGauge[] {
  return probed.map(({ modelId }) => ({
    name: "search_recall_at_10",
    labels: { model: String(modelId) },
    value: models.find((each) => each.model_id === modelId)?.recall ?? 1,
  }));
}
