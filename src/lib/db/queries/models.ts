import { z } from "zod";
import type { Statement } from "../sql.ts";

/** How vectors are stored: pgvector's types, or jsonb where the extension is missing. Chosen by the first migration run. */
export const storeVariantSchema = z.enum(["vector", "jsonb"]);
export type StoreVariant = z.infer<typeof storeVariantSchema>;

const MODEL_COLUMNS = `m.model_id, m.fingerprint, m.model_name, m.revision, m.dimensions, m.max_input_tokens, m.query_prefix,
             m.document_prefix`;

/** The active model and the store's variant; no row when no model is active. */
export function selectActiveModel(): Statement {
  return {
    text: `select ${MODEL_COLUMNS}, (select udt_name from information_schema.columns where table_schema = current_schema()
               and table_name = 'doc_embeddings' and column_name = 'embedding') as embedding_type
           from embedding_models m where m.state = 'active'`,
    params: [],
  };
}

export const modelRowSchema = z.object({
  model_id: z.int(),
  fingerprint: z.string(),
  model_name: z.string(),
  revision: z.string(),
  dimensions: z.int(),
  max_input_tokens: z.int(),
  query_prefix: z.string(),
  document_prefix: z.string(),
});
export type ModelRow = z.infer<typeof modelRowSchema>;

export const activeModelRowSchema = modelRowSchema.extend({ embedding_type: z.string() });

/** The model that is active in the database of a tenant at this moment: one row by its index, cheap enough for every search. */
export const SELECT_MODEL_IN_FORCE: Statement = {
  text: `select ${MODEL_COLUMNS} from embedding_models m where m.state = 'active'`,
  params: [],
};

/**
 * For a transaction that indexes: fails with `serialization_failure` where the model is not the active one any more, or while it is about to change.
 * A change of the active model waits for transactions that have called it.
 */
export function holdActiveModel(modelId: number): Statement {
  return { text: "select hold_model($1::int, '{active}', true)", params: [modelId] };
}

/** Registers a model. Twice means once: the fingerprint is the key; an existing row keeps its state, but that a retired one begins anew. */
export function insertModel(model: {
  readonly fingerprint: string;
  readonly modelName: string;
  readonly revision: string;
  readonly dimensions: number;
  readonly maxInputTokens: number;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  readonly info: unknown;
}): Statement {
  return {
    text: `insert into embedding_models
             (fingerprint, model_name, revision, dimensions, max_input_tokens, query_prefix, document_prefix, state, info)
           values ($1, $2, $3, $4::int, $5::int, $6, $7, 'shadow', $8::jsonb)
           on conflict (fingerprint) do update set state = 'shadow' where embedding_models.state = 'retired'`,
    params: [
      model.fingerprint,
      model.modelName,
      model.revision,
      model.dimensions,
      model.maxInputTokens,
      model.queryPrefix,
      model.documentPrefix,
      JSON.stringify(model.info),
    ],
  };
}

/** Makes a registered model the active one if there is none. */
export function activateModelIfNoneActive(fingerprint: string): Statement {
  return {
    text: `update embedding_models set state = 'active', activated_at = now() where fingerprint = $1 and state = 'shadow'
           and not exists (select 1 from embedding_models where state = 'active')`,
    params: [fingerprint],
  };
}

/** All registered models, oldest first. */
export function selectModels(): Statement {
  return {
    text: `select model_id, fingerprint, model_name, revision, dimensions, max_input_tokens, query_prefix, document_prefix,
             state, created_at, activated_at, deactivated_at
           from embedding_models order by model_id limit 500`,
    params: [],
  };
}

/** All registered models with all that a copy of the registry needs, as one JSON array. */
export function selectRegistry(): Statement {
  return {
    text: `select coalesce(jsonb_agg(to_jsonb(m) order by m.model_id), '[]')::text as models
           from (select * from embedding_models order by model_id limit 500) m`,
    params: [],
  };
}

/** Waits for the transactions that write vectors, and keeps others waiting until the end of this one. Comes first. */
export const LOCK_MODELS: Statement = {
  text: "select pg_advisory_xact_lock(hashtextextended('embedding_models', 0))",
  params: [],
};

export const registryRowSchema = z.object({ models: z.string() });

/**
 * Makes the registry of another database the same: rows of tenants name models by number, so the numbers have to be the same everywhere.
 * The active one is stepped down first, since at no moment may two be active.
 */
export function replaceRegistry(models: string): Statement[] {
  return [
    LOCK_MODELS,
    { text: "update embedding_models set state = 'shadow' where state = 'active'", params: [] },
    {
      text: `insert into embedding_models overriding system value
             select * from jsonb_populate_recordset(null::embedding_models, $1::jsonb)
             on conflict (model_id) do update set state = excluded.state, activated_at = excluded.activated_at,
               deactivated_at = excluded.deactivated_at, held_until = excluded.held_until`,
      params: [models],
    },
  ];
}

/**
 * Keeps every range from being committed for some seconds, because the active model is about to change. Ends by itself, so that a change that dies holds
 * nothing up for long. Comes after `LOCK_MODELS`: ranges in flight have ended by then.
 */
export function holdIndexing(seconds: number): Statement {
  return {
    text: `update embedding_models set held_until = clock_timestamp() + make_interval(secs => $1::float8) where state = 'active'`,
    params: [seconds],
  };
}

export const RELEASE_INDEXING: Statement = {
  text: "update embedding_models set held_until = null where held_until is not null",
  params: [],
};

/**
 * Makes a shadow model the active one and the active one a shadow, after `LOCK_MODELS`. The last statement returns the model; nothing where it is no shadow
 * any more, or where indexing is not held any more (unless that does not matter).
 */
export function switchActiveModel(
  modelId: number,
  { needsHold }: { readonly needsHold: boolean },
): readonly Statement[] {
  return [
    {
      text: `update embedding_models set state = 'shadow', deactivated_at = now(), held_until = null
             where state = 'active' and (not $2::boolean or held_until > clock_timestamp())
               and exists (select from embedding_models m where m.model_id = $1::int and m.state = 'shadow')`,
      params: [modelId, needsHold],
    },
    {
      text: `update embedding_models set state = 'active', activated_at = now() where model_id = $1::int and state = 'shadow'
               and not exists (select from embedding_models m where m.state = 'active')
             returning model_id`,
      params: [modelId],
    },
  ];
}

/** Ends a model that is not active, after `LOCK_MODELS`: nothing is written under it any more. */
export function retireModel(modelId: number): Statement {
  return {
    text: "update embedding_models set state = 'retired' where model_id = $1::int and state = 'shadow' returning model_id",
    params: [modelId],
  };
}
