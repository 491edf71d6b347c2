import { z } from "zod";
import type { R2Bucket } from "@cloudflare/workers-types";
import type { Sql } from "../../db/sql.ts";
import type { JobContext } from "../jobs/job.ts";
import type { ModelSource } from "../models/model-source.ts";
import type { PackReadContext } from "../packs/context.ts";

export interface AuditContext extends JobContext, PackReadContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
  readonly models: Pick<ModelSource, "tokenCounter">;
}

/** A model of the registry, as far as an audit asks for it. */
export const modelRowSchema = z.object({
  model_id: z.int(),
  fingerprint: z.string(),
  dimensions: z.int(),
  max_input_tokens: z.int(),
  document_prefix: z.string(),
  state: z.string(),
});
export type ModelRow = z.infer<typeof modelRowSchema>;
