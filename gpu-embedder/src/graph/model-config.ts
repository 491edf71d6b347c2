import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";

const bertConfig = z.object({
  model_type: z.literal("bert"),
  hidden_act: z.literal("gelu"),
  hidden_size: z.number().int().positive(),
  intermediate_size: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  num_hidden_layers: z.number().int().positive(),
  max_position_embeddings: z.number().int().positive(),
  type_vocab_size: z.number().int().positive(),
  vocab_size: z.number().int().positive(),
  layer_norm_eps: z.number().positive(),
  pad_token_id: z.number().int().nonnegative().default(0),
  position_embedding_type: z.literal("absolute").default("absolute"),
});

const poolingConfig = z.object({
  /** One name, as newer versions of sentence-transformers save it (6.2 does); older files have a flag for each mode. */
  pooling_mode: z.string().optional(),
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
  pooling_mode_max_tokens: z.boolean().default(false),
  pooling_mode_mean_sqrt_len_tokens: z.boolean().default(false),
});

const sentenceConfig = z.object({ max_seq_length: z.number().int().positive().nullish() });
const moduleList = z.array(z.object({ type: z.string() }));

export type Pooling = "mean" | "cls";

/** What the graph and the server need to know of a BERT-family sentence-transformers model. */
export type ModelConfig = {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly headCount: number;
  readonly layerCount: number;
  readonly positionCount: number;
  readonly vocabularySize: number;
  readonly segmentCount: number;
  readonly layerNormEpsilon: number;
  readonly padTokenId: number;
  readonly pooling: Pooling;
  /** Whether the model's own pipeline ends in an L2 normalisation. */
  readonly normalized: boolean;
  /** Longest input, in tokens with the special ones, that the model was made for. */
  readonly inputTokensMax: number;
};

export type ModelConfigError = { readonly code: "model_unsupported"; readonly detail: string };

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

function poolingOf(modes: z.infer<typeof poolingConfig>): Pooling | undefined {
  if (modes.pooling_mode !== undefined)
    return modes.pooling_mode === "mean" || modes.pooling_mode === "cls" ? modes.pooling_mode : undefined;
  if (modes.pooling_mode_max_tokens || modes.pooling_mode_mean_sqrt_len_tokens) return undefined;
  if (modes.pooling_mode_mean_tokens === modes.pooling_mode_cls_token) return undefined;
  return modes.pooling_mode_cls_token ? "cls" : "mean";
}

/**
 * Reads config.json, 1_Pooling/config.json, sentence_bert_config.json and modules.json of a model folder.
 * Errors: `model_unsupported` when it is no BERT encoder with absolute positions, exact GELU and mean or CLS pooling.
 */
export function readModelConfig(folder: string): Result<ModelConfig, ModelConfigError> {
  try {
    const bert = bertConfig.parse(readJson(join(folder, "config.json")));
    const pooling = poolingOf(poolingConfig.parse(readJson(join(folder, "1_Pooling/config.json"))));
    if (pooling === undefined)
      return err({ code: "model_unsupported", detail: "pooling is neither mean nor CLS alone" });
    const sentencePath = join(folder, "sentence_bert_config.json");
    const sentence = sentenceConfig.parse(existsSync(sentencePath) ? readJson(sentencePath) : {});
    const modules = moduleList.parse(readJson(join(folder, "modules.json")));
    return ok({
      hiddenSize: bert.hidden_size,
      intermediateSize: bert.intermediate_size,
      headCount: bert.num_attention_heads,
      layerCount: bert.num_hidden_layers,
      positionCount: bert.max_position_embeddings,
      vocabularySize: bert.vocab_size,
      segmentCount: bert.type_vocab_size,
      layerNormEpsilon: bert.layer_norm_eps,
      padTokenId: bert.pad_token_id,
      pooling,
      normalized: modules.some((module) => module.type.endsWith(".Normalize")),
      inputTokensMax: Math.min(sentence.max_seq_length ?? bert.max_position_embeddings, bert.max_position_embeddings),
    });
  } catch (cause) {
    return err({
      code: "model_unsupported",
      detail: cause instanceof Error ? cause.message : "configuration could not be read",
    });
  }
}
