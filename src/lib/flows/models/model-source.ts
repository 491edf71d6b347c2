import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { activeModelRowSchema, type ModelRow, selectActiveModel, type StoreVariant } from "../../db/queries/models.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import type { ActiveModel } from "../../model/active-model.ts";
import { loadTokenCounter } from "../../model/load-token-counter.ts";
import type { TokenCounter } from "../../model/token-counter.ts";

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

/**
 * How long an isolate believes what it read, milliseconds. Whoever reads or writes rows asks the tenant's database as well, in the same round trip, and
 * goes by that.
 */
const ACTIVE_MODEL_FRESH_MS = 30_000;

/** Tokenizers kept: of the active model and the next one. Large vocabularies take tens of megabytes. */
const COUNTERS_MAX = 2;

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
  const counters = new Map<string, TokenCounter>();

  async function active(): Promise<Result<ModelInUse, ModelError>> {
    if (known !== undefined && context.clock() - known.readAtMs < ACTIVE_MODEL_FRESH_MS) return ok(known.model);
    const rows = await context.sql.query(selectActiveModel());
    if (!rows.ok) return rows;
    const [found] = rows.value;
    if (found === undefined) return err({ code: "no_active_model" });
    const row = activeModelRowSchema.parse(found);
    const model = modelOf(row, row.embedding_type === "halfvec" ? "vector" : "jsonb");
    known = { model, readAtMs: context.clock() };
    return ok(model);
  }

  async function tokenCounter(fingerprint: string): Promise<Result<TokenCounter, ModelError>> {
    const loadedBefore = counters.get(fingerprint);
    if (loadedBefore !== undefined) return ok(loadedBefore);
    try {
      const tokenizerJson = await context.readTokenizer(fingerprint);
      if (tokenizerJson === null) return err({ code: "tokenizer_missing", fingerprint });
      const loaded = loadTokenCounter(tokenizerJson);
      if (!loaded.ok) return err({ code: "tokenizer_unusable", fingerprint });
      if (counters.size >= COUNTERS_MAX) counters.clear();
      counters.set(fingerprint, loaded.value);
      return ok(loaded.value);
    } catch (cause) {
      return err({ code: "storage_unavailable", cause });
    }
  }

  return { active, tokenCounter };
}

/** A row of `embedding_models` as flows use it. */
export function modelOf(row: ModelRow, storeVariant: StoreVariant): ModelInUse {
  return {
    modelId: row.model_id,
    fingerprint: row.fingerprint,
    modelName: row.model_name,
    dimensions: row.dimensions,
    maxInputTokens: row.max_input_tokens,
    queryPrefix: row.query_prefix,
    documentPrefix: row.document_prefix,
    storeVariant,
  };
}
