import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";

/** What every encoder's config.json says of its inputs and outputs. */
const encoderConfig = z.object({
  model_type: z.string().default("unknown"),
  hidden_size: z.number().int().positive(),
  max_position_embeddings: z.number().int().positive(),
  vocab_size: z.number().int().positive(),
  pad_token_id: z.number().int().nonnegative().nullish(),
});

const bertConfig = z.object({
  model_type: z.literal("bert"),
  hidden_act: z.literal("gelu"),
  intermediate_size: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  num_hidden_layers: z.number().int().positive(),
  type_vocab_size: z.number().int().positive(),
  layer_norm_eps: z.number().positive(),
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
const tokenizerConfig = z.object({ model_max_length: z.number().positive().nullish() });
const promptConfig = z.object({ prompts: z.record(z.string(), z.string()).default({}) });
const moduleList = z.array(z.object({ type: z.string() }));

export type Pooling = "mean" | "cls";

/** What the server needs to know of any sentence-transformers model. */
export type SentenceConfig = {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly padTokenId: number;
  readonly pooling: Pooling;
  /** Whether the model's own pipeline ends in an L2 normalisation. */
  readonly normalized: boolean;
  /** Longest input, in tokens with the special ones, that the model was made for. */
  readonly inputTokensMax: number;
  /** Texts that go before an input, by name: most models have `query` and `document` or none. */
  readonly prompts: Readonly<Record<string, string>>;
};

/** What the graph builder needs besides: the shape of a BERT encoder. */
export type ModelConfig = SentenceConfig & {
  readonly intermediateSize: number;
  readonly headCount: number;
  readonly layerCount: number;
  readonly positionCount: number;
  readonly segmentCount: number;
  readonly layerNormEpsilon: number;
};

export type ModelConfigError = { readonly code: "model_unsupported"; readonly detail: string };

/** RoBERTa's position embeddings begin after the padding token's own. */
const OFFSET_POSITIONS = /roberta|camembert|mpnet/iu;

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

function readOptionalJson(path: string): unknown {
  return existsSync(path) ? readJson(path) : {};
}

function poolingOf(modes: z.infer<typeof poolingConfig>): Pooling | undefined {
  if (modes.pooling_mode !== undefined)
    return modes.pooling_mode === "mean" || modes.pooling_mode === "cls" ? modes.pooling_mode : undefined;
  if (modes.pooling_mode_max_tokens || modes.pooling_mode_mean_sqrt_len_tokens) return undefined;
  if (modes.pooling_mode_mean_tokens === modes.pooling_mode_cls_token) return undefined;
  return modes.pooling_mode_cls_token ? "cls" : "mean";
}

function positionsOf(encoder: z.infer<typeof encoderConfig>): number {
  const offset = OFFSET_POSITIONS.test(encoder.model_type) ? (encoder.pad_token_id ?? 1) + 1 : 0;
  return encoder.max_position_embeddings - offset;
}

function unsupported(cause: unknown): { readonly ok: false; readonly error: ModelConfigError } {
  return err({
    code: "model_unsupported",
    detail: cause instanceof Error ? cause.message : "configuration could not be read",
  });
}

/**
 * Reads config.json, 1_Pooling/config.json, sentence_bert_config.json, tokenizer_config.json, config_sentence_transformers.json and modules.json
 * of a model folder. Errors: `model_unsupported` when a file is missing or malformed, or pooling is neither mean nor CLS.
 */
export function readSentenceConfig(folder: string): Result<SentenceConfig, ModelConfigError> {
  try {
    const encoder = encoderConfig.parse(readJson(join(folder, "config.json")));
    const pooling = poolingOf(poolingConfig.parse(readJson(join(folder, "1_Pooling/config.json"))));
    if (pooling === undefined) return unsupported(new Error("pooling is neither mean nor CLS alone"));
    const sentence = sentenceConfig.parse(readOptionalJson(join(folder, "sentence_bert_config.json")));
    const { prompts } = promptConfig.parse(readOptionalJson(join(folder, "config_sentence_transformers.json")));
    const modules = moduleList.parse(readJson(join(folder, "modules.json")));
    const tokenizer = tokenizerConfig.parse(readOptionalJson(join(folder, "tokenizer_config.json")));
    const positions = positionsOf(encoder);
    const lengthMax = sentence.max_seq_length ?? tokenizer.model_max_length ?? positions;
    return ok({
      hiddenSize: encoder.hidden_size,
      vocabularySize: encoder.vocab_size,
      padTokenId: encoder.pad_token_id ?? 0,
      pooling,
      normalized: modules.some((module) => module.type.endsWith(".Normalize")),
      inputTokensMax: Math.min(lengthMax, positions),
      prompts,
    });
  } catch (cause) {
    return unsupported(cause);
  }
}

/**
 * Reads the same and the shape of the encoder. Errors: `model_unsupported` when it is no BERT encoder with absolute positions, exact GELU
 * and mean or CLS pooling.
 */
export function readModelConfig(folder: string): Result<ModelConfig, ModelConfigError> {
  const sentence = readSentenceConfig(folder);
  if (!sentence.ok) return sentence;
  try {
    const config = readJson(join(folder, "config.json"));
    const bert = bertConfig.parse(config);
    return ok({
      ...sentence.value,
      intermediateSize: bert.intermediate_size,
      headCount: bert.num_attention_heads,
      layerCount: bert.num_hidden_layers,
      positionCount: encoderConfig.parse(config).max_position_embeddings,
      segmentCount: bert.type_vocab_size,
      layerNormEpsilon: bert.layer_norm_eps,
    });
  } catch (cause) {
    return unsupported(cause);
  }
}
