import type { EmbedService } from "./embed-service.ts";

/** Version told in `/info`. */
const SERVER_VERSION = "0.1.0";

/** Body of `GET /info`: the fields of text-embeddings-inference, and ours beside them. */
export function infoOf(service: EmbedService): Readonly<Record<string, unknown>> {
  const { model, limits } = service;
  return {
    model_id: model.modelId,
    model_sha: model.revision,
    model_dtype: model.precision === "fp32" ? "float32" : model.precision,
    model_type: { embedding: { pooling: model.config.pooling } },
    max_concurrent_requests: limits.requestsMax,
    max_input_length: model.config.inputTokensMax,
    max_batch_tokens: limits.batchTokensMax,
    max_batch_requests: limits.batchTextsMax,
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
    provider: "cpu",
    tokenizer_sha256: model.tokenizerSha256,
  };
}
