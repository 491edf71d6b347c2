import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { sha256Hex } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import { activateModelIfNoneActive, insertModel, selectModels } from "../db/queries/models.ts";
import type { Sql } from "../db/sql.ts";
import type { EmbedError, Embedder } from "../embed/embedder.ts";
import { loadTokenCounter } from "../model/load-token-counter.ts";
import { createObject, CREATE_OPTIONS } from "../wal/create-object.ts";
import { tokenizerKey } from "./model-source.ts";
import { copyRegistry } from "./copy-registry.ts";
import { problemOfSql, storageUnavailable } from "./problem-of.ts";

export interface RegisterContext {
  readonly sql: Sql;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
  readonly bucket: R2Bucket;
  readonly embedder: Embedder;
}

/** A registered model as the wire shows it. */
export const modelSchema = z.object({
  model_id: z.int(),
  fingerprint: z.string(),
  model_name: z.string(),
  revision: z.string(),
  dimensions: z.int(),
  max_input_tokens: z.int(),
  state: z.enum(["shadow", "active", "retired"]),
  created_at: z.date().transform((date) => date.toISOString()),
});
export type RegisteredModel = z.output<typeof modelSchema>;

/** All registered models, oldest first. */
export async function listModels(sql: Sql): Promise<Result<RegisteredModel[], Problem>> {
  const rows = await sql.query(selectModels());
  return rows.ok ? ok(rows.value.map((row) => modelSchema.parse(row))) : err(problemOfSql(rows.error));
}

/**
 * Registers the model that the embedding server runs: its tokenizer into R2, then its row; with `activate` it becomes the active model if
 * there is none. Order matters: a row without a tokenizer would stop indexing. Twice means once, the fingerprint is the key.
 */
export async function registerModel(
  context: RegisterContext,
  options: { readonly activate: boolean },
): Promise<Result<RegisteredModel, Problem>> {
  const [info, tokenizer] = await Promise.all([context.embedder.info(), context.embedder.tokenizer()]);
  if (!info.ok) return err(embedderProblem(info.error));
  if (!tokenizer.ok) return err(embedderProblem(tokenizer.error));
  const stored = await storeTokenizer(context.bucket, info.value.fingerprint, tokenizer.value);
  if (!stored.ok) return stored;
  const statements = [
    insertModel({ ...info.value, info: info.value }),
    ...(options.activate ? [activateModelIfNoneActive(info.value.fingerprint)] : []),
  ];
  const written = await context.sql.transaction({ tenantId: "", userId: "" }, statements);
  if (!written.ok) return err(problemOfSql(written.error));
  const copied = await copyRegistry(context.databases);
  if (!copied.ok) return err(problemOfSql(copied.error));
  const models = await listModels(context.sql);
  if (!models.ok) return models;
  const model = models.value.find((one) => one.fingerprint === info.value.fingerprint);
  return model === undefined ? err({ code: "internal" }) : ok(model);
}

async function storeTokenizer(
  bucket: R2Bucket,
  fingerprint: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Result<void, Problem>> {
  if (!loadTokenCounter(bytes).ok)
    return err({ code: "embedder_mismatch", detail: "the server's tokenizer.json cannot be read" });
  const contentHash = await sha256Hex(bytes);
  const object = { key: tokenizerKey(fingerprint), bytes, contentHash, metadata: {}, mediaType: "application/json" };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  if (created.ok) return ok(undefined);
  return err(
    created.error.code === "object_differs"
      ? { code: "conflict", detail: "this fingerprint was registered with another tokenizer" }
      : storageUnavailable(),
  );
}

function embedderProblem(error: EmbedError): Problem {
  return error.code === "embedder_mismatch"
    ? { code: "embedder_mismatch" }
    : { code: "embedder_unavailable", retryAfterSeconds: 5 };
}
