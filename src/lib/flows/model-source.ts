import type { Clock } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { activeModelRowSchema, selectActiveModel, type StoreVariant } from "../db/queries/models.ts";
import type { Sql, SqlError } from "../db/sql.ts";
import type { ActiveModel } from "../model/active-model.ts";
import { loadTokenCounter } from "../model/load-token-counter.ts";
import type { TokenCounter } from "../model/token-counter.ts";

export type ModelError =
  | { readonly code: "no_active_model" }
  | { readonly code: "tokenizer_missing" | "tokenizer_unusable"; readonly fingerprint: string }
  | { readonly code: "storage_unavailable"; readonly cause?: unknown }
  | SqlError;

/** The active model together with how the store keeps its vectors. */
export interface ModelInUse extends ActiveModel {
  readonly storeVariant: StoreVariant;
}

/** Knows the active model and its tokenizer; one per isolate. */
export interface ModelSource {
  active(): Promise<Result<ModelInUse, ModelError>>;
  tokenCounter(fingerprint: string): Promise<Result<TokenCounter, ModelError>>;
}

/** How long an isolate believes what it read, milliseconds: a promoted model is in use everywhere after this. */
const ACTIVE_MODEL_FRESH_MS = 30_000;

export interface ModelSourceContext {
  readonly sql: Sql;
  readonly clock: Clock;
  /** Object `models/<fingerprint>/tokenizer.json`, or null when there is none. Throws when the store cannot be reached. */
  readonly readTokenizer: (fingerprint: string) => Promise<Uint8Array | null>;
}

/** R2 key of a model's tokenizer. */
export function tokenizerKey(fingerprint: string): string {
  return `models/${encodeURIComponent(fingerprint)}/tokenizer.json`;
}

export function createModelSource(context: ModelSourceContext): ModelSource {
  let known: { readonly model: ModelInUse; readonly readAtMs: number } | undefined;
  let counter: { readonly fingerprint: string; readonly counter: TokenCounter } | undefined;

  async function active(): Promise<Result<ModelInUse, ModelError>> {
    if (known !== undefined && context.clock() - known.readAtMs < ACTIVE_MODEL_FRESH_MS) return ok(known.model);
    const rows = await context.sql.query(selectActiveModel());
    if (!rows.ok) return rows;
    const row = rows.value[0];
    if (row === undefined) return err({ code: "no_active_model" });
    const model = modelOf(row);
    known = { model, readAtMs: context.clock() };
    return ok(model);
  }

  async function tokenCounter(fingerprint: string): Promise<Result<TokenCounter, ModelError>> {
    if (counter?.fingerprint === fingerprint) return ok(counter.counter);
    try {
      const tokenizerJson = await context.readTokenizer(fingerprint);
      if (tokenizerJson === null) return err({ code: "tokenizer_missing", fingerprint });
      const loaded = loadTokenCounter(tokenizerJson);
      if (!loaded.ok) return err({ code: "tokenizer_unusable", fingerprint });
      counter = { fingerprint, counter: loaded.value };
      return ok(loaded.value);
    } catch (cause) {
      return err({ code: "storage_unavailable", cause });
    }
  }

  return { active, tokenCounter };
}

function modelOf(row: unknown): ModelInUse {
  const parsed = activeModelRowSchema.parse(row);
  return {
    modelId: parsed.model_id,
    fingerprint: parsed.fingerprint,
    modelName: parsed.model_name,
    dimensions: parsed.dimensions,
    maxInputTokens: parsed.max_input_tokens,
    queryPrefix: parsed.query_prefix,
    documentPrefix: parsed.document_prefix,
    storeVariant: parsed.embedding_type === "halfvec" ? "vector" : "jsonb",
  };
}
