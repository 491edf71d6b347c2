/** Changes the active model. docs/models.md says what is promised while it changes. */
import { Semaphore } from "../../base/semaphore.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Promotion } from "../../contract/model.ts";
import type { Problem } from "../../contract/problem.ts";
import { holdIndexing, LOCK_MODELS, RELEASE_INDEXING, switchActiveModel } from "../../db/queries/models.ts";
import type { Sql } from "../../db/sql.ts";
import { copyRegistry } from "./copy-registry.ts";
import { adviseIndexes } from "../jobs/advise-indexes.ts";
import { modelOf, type ModelSource } from "./model-source.ts";
import { problemOfSql } from "../problem-of.ts";
import { embedMissing } from "./embed-missing.ts";
import { type FillContext, type FillTally, newFillTally } from "./filling.ts";
import { listIndexedTenants } from "./list-indexed-tenants.ts";
import { listStoredModels, type StoredModel } from "./list-models.ts";
import { measureCoverage } from "./measure-coverage.ts";

export interface PromoteContext extends Omit<FillContext, "embedRequests"> {
  readonly models: ModelSource;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
}

export interface PromoteRequest {
  readonly modelId: number;
  /** Although documents lack vectors or are refused: they are not found until they have some. */
  readonly isForced: boolean;
}

/** How long indexing is held at most, seconds: a message waits as long as between two of its attempts. */
const HOLD_SECONDS = 60;
/** What of it catching up may take, milliseconds: the switch has to come before its end. */
const CATCH_UP_MS_MAX = 45_000;
/** Documents that may lack vectors when indexing is held: what a CPU embeds in half a minute. More is the job's work. */
const CAUGHT_UP_DOCUMENTS_MAX = 500;
const EMBED_REQUESTS_MAX = 3;
/** Looks at a tenant of which documents changed meanwhile. */
const LOOKS_MAX = 3;

const SYSTEM = { tenantId: "", userId: "" } as const;

/**
 * Makes a model the active one: coverage is counted, indexing is held, what came since is embedded, the model is switched at home and copied to the other
 * databases. Searches go on. Interrupted anywhere it leaves the one model active or the other, and calling it again completes it; the hold ends by
 * itself. Errors: `not_found`; `conflict` with the reason; what is away.
 */
export async function promoteModel(
  context: PromoteContext,
  { modelId, isForced }: PromoteRequest,
): Promise<Result<Promotion, Problem>> {
  const stored = await listStoredModels(context.sql);
  if (!stored.ok) return stored;
  const model = stored.value.find((each) => each.model_id === modelId);
  if (model === undefined) return err({ code: "not_found" });
  if (model.state === "retired") return err({ code: "conflict", detail: "the model is retired: register it again" });
  if (model.state === "active") return complete(context, { ...NOTHING, model_id: modelId, was_active: true });
  const tenants = await listIndexedTenants(context.bucket);
  const gap = await measureGap(context.sql, tenants, modelId);
  if (!gap.ok) return gap;
  const ready = isForced ? ok(undefined) : await checkReady(context, modelId, gap.value);
  if (!ready.ok) return ready;
  const startedMs = context.clock();
  const held = await onEach(context.databases, [LOCK_MODELS, holdIndexing(HOLD_SECONDS)]);
  if (!held.ok) return held;
  const tally = newFillTally();
  const caughtUp = await catchUp(context, { tenants, model, tally });
  if (!isForced && (!caughtUp.ok || tally.refusedCount > 0)) {
    await onEach(context.databases, [RELEASE_INDEXING]);
    return caughtUp.ok ? err({ code: "conflict", detail: refusedText(tally.refusedCount) }) : caughtUp;
  }
  const switched = await switchModel(context, modelId, { needsHold: !isForced });
  if (!switched.ok) return switched;
  return complete(context, {
    ...gap.value,
    model_id: modelId,
    was_active: false,
    caught_up_count: tally.documentCount,
    held_seconds: (context.clock() - startedMs) / 1000,
  });
}

const NOTHING = { document_count: 0, missing_count: 0, refused_count: 0, caught_up_count: 0, held_seconds: 0 };

/** The other databases follow home. */
async function complete(context: PromoteContext, promotion: Promotion): Promise<Result<Promotion, Problem>> {
  const copied = await copyRegistry(context.databases);
  return copied.ok ? ok(promotion) : err(problemOfSql(copied.error));
}

interface Gap {
  readonly document_count: number;
  readonly missing_count: number;
  readonly refused_count: number;
}

async function measureGap(sql: Sql, tenants: readonly string[], modelId: number): Promise<Result<Gap, Problem>> {
  const gap = { document_count: 0, missing_count: 0, refused_count: 0 };
  for (const tenantId of tenants) {
    const coverage = await measureCoverage(sql, { tenantId, modelId });
    if (!coverage.ok) return coverage;
    gap.document_count += coverage.value.document_count;
    gap.missing_count += coverage.value.missing_count;
    gap.refused_count += coverage.value.refused_count;
  }
  return ok(gap);
}

/** Whether every document will be found, and as fast as before. */
async function checkReady({ databases }: PromoteContext, modelId: number, gap: Gap): Promise<Result<void, Problem>> {
  const refusal = refusalOf(gap);
  if (refusal !== undefined) return err({ code: "conflict", detail: refusal });
  for (const sql of databases.values()) {
    const advice = await adviseIndexes(sql);
    if (!advice.ok) return err(problemOfSql(advice.error));
    const { missingIndexes, invalidIndexes, unprovenIndexes } = advice.value;
    const unready = [...missingIndexes.map(({ name }) => name), ...invalidIndexes, ...unprovenIndexes];
    const own = unready.find((name) => name.endsWith(`_hnsw_m${modelId}`));
    if (own !== undefined)
      return err({ code: "conflict", detail: `large scopes would be slow without ${own}: jeeves build-index` });
  }
  return ok(undefined);
}

function refusalOf({ document_count: all, missing_count: missing, refused_count: refused }: Gap): string | undefined {
  if (missing > CAUGHT_UP_DOCUMENTS_MAX)
    return `${missing} of ${all} documents lack vectors of this model: run reembed until it is done`;
  return refused > 0 ? refusedText(refused) : undefined;
}

function refusedText(count: number): string {
  return `of ${count} documents the model refuses something: it would not be found any more`;
}

async function onEach(
  databases: ReadonlyMap<string, Sql>,
  statements: Parameters<Sql["transaction"]>[1],
): Promise<Result<void, Problem>> {
  for (const sql of databases.values()) {
    const done = await sql.transaction(SYSTEM, statements);
    if (!done.ok) return err(problemOfSql(done.error));
  }
  return ok(undefined);
}

/** Embeds what came since the last run of the job; nothing new comes while indexing is held. */
async function catchUp(
  context: PromoteContext,
  {
    tenants,
    model,
    tally,
  }: { readonly tenants: readonly string[]; readonly model: StoredModel; readonly tally: FillTally },
): Promise<Result<void, Problem>> {
  const active = await context.models.active();
  if (!active.ok) return err({ code: "database_unavailable", retryAfterSeconds: 5 });
  const fill = { ...context, embedRequests: new Semaphore(EMBED_REQUESTS_MAX) };
  const untilMs = context.clock() + CATCH_UP_MS_MAX;
  const isSpent = (): boolean => context.clock() >= untilMs;
  for (const tenantId of tenants) {
    const target = { tenantId, model: modelOf(model, active.value.storeVariant), isActive: false };
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const changedBefore = tally.changedCount;
      const filled = await embedMissing(fill, target, { tally, isSpent });
      if (!filled.ok)
        return err({ code: "conflict", detail: `what came last cannot be embedded: ${filled.error.code}` });
      if (!filled.value)
        return err({ code: "conflict", detail: "more comes than can be caught up: run reembed, then promote again" });
      if (tally.changedCount === changedBefore) break;
    }
  }
  return ok(undefined);
}

async function switchModel(
  { sql }: PromoteContext,
  modelId: number,
  options: { readonly needsHold: boolean },
): Promise<Result<void, Problem>> {
  const rows = await sql.transaction(SYSTEM, [LOCK_MODELS, ...switchActiveModel(modelId, options)]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  if ((rows.value.at(-1) ?? []).length > 0) return ok(undefined);
  return err({
    code: "conflict",
    detail: "indexing was held for too long, or the model was changed beside this: try again",
  });
}
