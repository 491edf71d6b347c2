import type { EmbedService } from "./embed-service.ts";
import type { Readiness } from "./readiness.ts";

/** Version told in `/info`. */
const SERVER_VERSION = "0.1.0";

/** Names that text-embeddings-inference has for precisions, where it has one. */
const DTYPES = { fp32: "float32", fp16: "float16", int8: "int8", "ready-made": "ready-made" } as const;

/** Body of `GET /info`: the fields of text-embeddings-inference, and ours beside them. */
export function infoOf(service: EmbedService, runtime: Readiness): Readonly<Record<string, unknown>> {
  const { model, limits, budget } = service;
  return {
    model_id: model.modelId,
    model_sha: model.revision,
    model_dtype: DTYPES[model.precision],
    model_type: { embedding: { pooling: model.config.pooling } },
    max_concurrent_requests: limits.requestsMax,
    max_input_length: model.config.inputTokensMax,
    max_batch_tokens: budget.tokensMax,
    max_batch_requests: budget.textsMax,
    max_client_batch_size: limits.clientTextsMax,
    auto_truncate: false,
    tokenization_workers: 1,
    version: SERVER_VERSION,
    sha: null,
    docker_label: null,
    revision: model.revision,
    fingerprint: model.fingerprint,
    dimensions: model.config.hiddenSize,
    precision: model.precision,
    pooling: model.config.pooling,
    normalized: true,
    provider: runtime.provider,
    device: runtime.device,
    prompts: [...service.prompts.keys()],
    query_prefix: service.prompts.get("query") ?? "",
    document_prefix: service.prompts.get("document") ?? service.prompts.get("passage") ?? "",
    tokenizer_sha256: model.tokenizerSha256,
    weights_sha256: model.weightsSha256,
  };
}
