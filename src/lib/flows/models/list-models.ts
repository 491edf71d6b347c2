import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { RegisteredModel } from "../../contract/model.ts";
import type { Problem } from "../../contract/problem.ts";
import { modelRowSchema, selectModels } from "../../db/queries/models.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";

const storedModelSchema = modelRowSchema.extend({
  state: z.enum(["shadow", "active", "retired"]),
  created_at: z.date(),
  activated_at: z.date().nullable(),
  deactivated_at: z.date().nullable(),
});
/** A row of the registry. */
export type StoredModel = z.infer<typeof storedModelSchema>;

/** All registered models, oldest first. */
export async function listStoredModels(sql: Sql): Promise<Result<readonly StoredModel[], Problem>> {
  const rows = await sql.query(selectModels());
  return rows.ok ? ok(rows.value.map((row) => storedModelSchema.parse(row))) : err(problemOfSql(rows.error));
}

/** The same as the wire shows them. */
export async function listModels(sql: Sql): Promise<Result<RegisteredModel[], Problem>> {
  const stored = await listStoredModels(sql);
  return stored.ok ? ok(stored.value.map(wireModel)) : stored;
}

function wireModel({ query_prefix: _query, document_prefix: _document, ...model }: StoredModel): RegisteredModel {
  return {
    ...model,
    created_at: model.created_at.toISOString(),
    activated_at: model.activated_at?.toISOString() ?? null,
    deactivated_at: model.deactivated_at?.toISOString() ?? null,
  };
}
