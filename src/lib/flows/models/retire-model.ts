import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { LOCK_MODELS, retireModel as retireStatement } from "../../db/queries/models.ts";
import { countOwnDocuments, rowCountSchema } from "../../db/queries/reembed.ts";
import type { Sql } from "../../db/sql.ts";
import { copyRegistry } from "./copy-registry.ts";
import { problemOfSql } from "../problem-of.ts";
import { listIndexedTenants } from "./list-indexed-tenants.ts";
import { listStoredModels } from "./list-models.ts";

interface RetireContext {
  readonly sql: Sql;
  readonly databases: ReadonlyMap<string, Sql>;
  readonly bucket: R2Bucket;
}

/** Counting further would tell nobody more. */
const COUNTED_MAX = 1_000;

/**
 * Ends a model: from now on nothing is written under it, and the job `reembed` removes its vectors. Never the active one, and none that documents have their
 * only rows under. Twice means once. Errors: `not_found`, `conflict`, `database_unavailable`.
 */
export async function retireModel(context: RetireContext, modelId: number): Promise<Result<void, Problem>> {
  const stored = await listStoredModels(context.sql);
  if (!stored.ok) return stored;
  const model = stored.value.find((each) => each.model_id === modelId);
  if (model === undefined) return err({ code: "not_found" });
  if (model.state === "active") return err({ code: "conflict", detail: "the model is the active one" });
  if (model.state === "shadow") {
    const retired = await retireShadow(context, modelId);
    if (!retired.ok) return retired;
  }
  const copied = await copyRegistry(context.databases);
  return copied.ok ? ok(undefined) : err(problemOfSql(copied.error));
}

async function retireShadow(context: RetireContext, modelId: number): Promise<Result<void, Problem>> {
  for (const tenantId of await listIndexedTenants(context.bucket)) {
    const scope = { tenantId, userId: "*" };
    const own = await context.sql.transaction(scope, [countOwnDocuments({ tenantId, modelId }, COUNTED_MAX)], {
      readOnly: true,
    });
    if (!own.ok) return err(problemOfSql(own.error));
    const { row_count: count } = rowCountSchema.parse(own.value[0]?.[0]);
    if (count > 0)
      return err({
        code: "conflict",
        detail: `${count < COUNTED_MAX ? count : `${count} or more`} documents of one tenant have no other vectors yet: run reembed until it is done`,
      });
  }
  const rows = await context.sql.transaction({ tenantId: "", userId: "" }, [LOCK_MODELS, retireStatement(modelId)]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  return (rows.value[1] ?? []).length > 0
    ? ok(undefined)
    : err({ code: "conflict", detail: "the model was changed beside this: try again" });
}
