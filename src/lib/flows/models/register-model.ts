import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { RegisteredModel } from "../../contract/model.ts";
import type { Problem } from "../../contract/problem.ts";
import { activateModelIfNoneActive, insertModel } from "../../db/queries/models.ts";
import type { Sql } from "../../db/sql.ts";
import type { Embedder } from "../../embed/embedder.ts";
import { copyRegistry } from "./copy-registry.ts";
import { listModels } from "./list-models.ts";
import { embedderProblem, storeModel } from "./store-model.ts";
import { problemOfSql } from "../problem-of.ts";

export interface RegisterContext {
  readonly sql: Sql;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
  readonly bucket: R2Bucket;
}

/**
 * Registers the model that an embedding server runs: what it is into R2, then its row; with `activate` it becomes the active model if there is none.
 * Order matters: a row without a tokenizer would stop indexing. Twice means once, the fingerprint is the key.
 */
export async function registerModel(
  context: RegisterContext,
  { embedder, activate }: { readonly embedder: Embedder; readonly activate: boolean },
): Promise<Result<RegisteredModel, Problem>> {
  const info = await embedder.info();
  if (!info.ok) return err(embedderProblem(info.error));
  const { fingerprint } = info.value;
  const stored = await storeModel(context.bucket, embedder, info.value);
  if (!stored.ok) return stored;
  const statements = [
    insertModel({ ...info.value, info: info.value }),
    ...(activate ? [activateModelIfNoneActive(fingerprint)] : []),
  ];
  const written = await context.sql.transaction({ tenantId: "", userId: "" }, statements);
  if (!written.ok) return err(problemOfSql(written.error));
  const copied = await copyRegistry(context.databases);
  if (!copied.ok) return err(problemOfSql(copied.error));
  const models = await listModels(context.sql);
  if (!models.ok) return models;
  const model = models.value.find((one) => one.fingerprint === fingerprint);
  return model === undefined ? err({ code: "internal" }) : ok(model);
}
