import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { StoreVariant } from "../../db/queries/models.ts";
import {
  deleteModelChunks,
  deleteModelRemains,
  deleteStaleRefusals,
  rowCountSchema,
} from "../../db/queries/reembed.ts";
import type { Job, JobContext, JobRun } from "../jobs/job.ts";
import { modelOf, type ModelSource } from "./model-source.ts";
import { embedMissing } from "./embed-missing.ts";
import { type FillContext, type FillTally, newFillTally } from "./filling.ts";
import { listIndexedTenants } from "./list-indexed-tenants.ts";
import { listStoredModels, type StoredModel } from "./list-models.ts";
import { measureCoverage } from "./measure-coverage.ts";

interface ReembedContext extends JobContext, Omit<FillContext, "embedRequests"> {
  readonly models: ModelSource;
}

interface ModelReport extends FillTally {
  readonly model_id: number;
  readonly fingerprint: string;
  readonly state: StoredModel["state"];
  /** Of a dry run: documents without vectors of the model. */
  missingCount: number;
  /** Of a retired model. */
  deletedChunkCount: number;
  /** Tokens embedded in a second of embedding. */
  tokens_per_second: number;
  /** Why it could not be filled in some tenants: a code. `embedder_mismatch`: no server runs it. */
  code: string | null;
}

interface ReembedReport {
  tenantCount: number;
  readonly models: readonly ModelReport[];
}

/** Embedding requests at a time, as of the consumer. */
const EMBED_REQUESTS_MAX = 3;
/** Chunks of a retired model that one statement deletes. */
const DELETED_ROWS = 2_000;

const cursorSchema = z.object({ after_tenant: z.string().default("") });

/** Keeps the vectors of the active model and of those beside it complete, and removes those of retired ones. docs/models.md. */
export const REEMBED_JOB: Job<ReembedContext, ReembedReport> = {
  name: "reembed",
  summary: "embeds what lacks vectors of the active model or of one beside it, and removes those of retired models",
  cron: "*/15 * * * *",
  timeMsMax: 10 * MINUTE_MS,
  async run(context, run) {
    const active = await context.models.active();
    const stored = await listStoredModels(context.sql);
    if (!active.ok || !stored.ok) {
      // A deployment in which no model was registered yet has nothing to embed.
      const isEmpty = !active.ok && active.error.code === "no_active_model";
      return { report: { tenantCount: 0, models: [] }, outcome: isEmpty ? "done" : "failed", cursor: run.cursor };
    }
    // Searches need the active one's now: filling another may take all the time there is.
    const models = stored.value.toSorted((a, b) => Number(b.state === "active") - Number(a.state === "active"));
    const report = { tenantCount: 0, models: models.map(newReport) };
    const work = { run, models, report, variant: active.value.storeVariant };
    const fill = { ...context, embedRequests: new Semaphore(EMBED_REQUESTS_MAX) };
    const { after_tenant: afterTenant } = cursorSchema.parse(run.cursor);
    let last = afterTenant;
    let isDone = true;
    for (const tenantId of await listIndexedTenants(context.bucket)) {
      if (tenantId <= afterTenant) continue;
      isDone = await visitTenant(fill, tenantId, work);
      if (!isDone) break;
      report.tenantCount += 1;
      last = tenantId;
    }
    return {
      report,
      outcome: report.models.some(isFailed) ? "failed" : isDone ? "done" : "partial",
      cursor: { after_tenant: isDone ? "" : last },
      gauges: report.models.flatMap(gaugesOf),
    };
  },
};

function newReport({ model_id, fingerprint, state }: StoredModel): ModelReport {
  const zeros = { missingCount: 0, deletedChunkCount: 0, tokens_per_second: 0, code: null };
  return { model_id, fingerprint, state, ...newFillTally(), ...zeros };
}

/** That no server runs a model is no failure: it may be kept for a while without one. */
function isFailed({ code }: ModelReport): boolean {
  return code !== null && code !== "embedder_mismatch";
}

function gaugesOf({ state, refusedCount, tokens_per_second: rate, documentCount }: ModelReport) {
  if (state === "retired") return [];
  return [
    { name: "reembed_documents" as const, labels: { state }, value: documentCount },
    { name: "reembed_refused_documents" as const, labels: { state }, value: refusedCount },
    { name: "reembed_tokens_per_second" as const, labels: { state }, value: rate },
  ];
}

interface Work {
  readonly run: Pick<JobRun, "budget" | "isDryRun">;
  readonly models: readonly StoredModel[];
  readonly report: ReembedReport;
  readonly variant: StoreVariant;
}

/** False: the time is over. */
async function visitTenant(context: FillContext, tenantId: string, work: Work): Promise<boolean> {
  if (work.run.isDryRun) return measureTenant(context, tenantId, work);
  for (const [index, model] of work.models.entries()) {
    const report = work.report.models[index];
    if (report === undefined) continue;
    const isDone =
      model.state === "retired"
        ? await deleteRetired(context, { tenantId, modelId: model.model_id }, { report, run: work.run })
        : await fillModel(context, { tenantId, model, variant: work.variant }, { report, run: work.run });
    if (!isDone) return false;
  }
  await context.sql.transaction({ tenantId, userId: "*" }, [deleteStaleRefusals(tenantId)]);
  return true;
}

interface ModelWork {
  readonly report: ModelReport;
  readonly run: Pick<JobRun, "budget">;
}

async function fillModel(
  context: FillContext,
  {
    tenantId,
    model,
    variant,
  }: { readonly tenantId: string; readonly model: StoredModel; readonly variant: StoreVariant },
  { report, run }: ModelWork,
): Promise<boolean> {
  if (report.code !== null) return true;
  const target = { tenantId, model: modelOf(model, variant), isActive: model.state === "active" };
  const filled = await embedMissing(context, target, { tally: report, isSpent: () => run.budget.isSpent() });
  report.tokens_per_second = report.embedMs === 0 ? 0 : Math.round((report.tokenCount * 1000) / report.embedMs);
  if (filled.ok) return filled.value;
  report.code = filled.error.code;
  return true;
}

async function deleteRetired(
  context: FillContext,
  retired: { readonly tenantId: string; readonly modelId: number },
  { report, run }: ModelWork,
): Promise<boolean> {
  const scope = { tenantId: retired.tenantId, userId: "*" };
  for (;;) {
    if (run.budget.isSpent()) return false;
    const deleted = await context.sql.transaction(scope, [deleteModelChunks(retired, DELETED_ROWS)]);
    if (!deleted.ok) {
      report.code = deleted.error.code;
      return true;
    }
    const { row_count: count } = rowCountSchema.parse(deleted.value[0]?.[0]);
    report.deletedChunkCount += count;
    if (count < DELETED_ROWS) break;
  }
  const remains = await context.sql.transaction(scope, deleteModelRemains(retired));
  if (!remains.ok) report.code = remains.error.code;
  return true;
}

async function measureTenant(context: FillContext, tenantId: string, { run, models, report }: Work): Promise<boolean> {
  for (const [index, { model_id: modelId, state }] of models.entries()) {
    if (run.budget.isSpent()) return false;
    const entry = report.models[index];
    if (entry === undefined || state === "retired") continue;
    const coverage = await measureCoverage(context.sql, { tenantId, modelId });
    if (coverage.ok) entry.missingCount += coverage.value.missing_count;
    else entry.code = coverage.error.code;
  }
  return true;
}
