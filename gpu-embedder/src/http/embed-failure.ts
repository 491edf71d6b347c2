/** A text that the model cannot take whole. */
export type TooLongInput = { readonly index: number; readonly tokenCount: number };

/** Why a request got no embeddings. Codes are stable; nothing here carries text. */
export type EmbedFailure =
  | {
      readonly code: "invalid_json" | "invalid_request" | "dimensions_unsupported";
      readonly message: string;
      readonly param: string | null;
    }
  | { readonly code: "input_empty"; readonly index: number | null }
  | { readonly code: "input_too_long"; readonly inputs: readonly TooLongInput[]; readonly limitTokens: number }
  | { readonly code: "text_too_large"; readonly index: number; readonly limitLength: number }
  | { readonly code: "too_many_inputs"; readonly count: number; readonly limit: number }
  | { readonly code: "too_many_tokens"; readonly count: number; readonly limit: number }
  | { readonly code: "token_id_unknown"; readonly index: number }
  | { readonly code: "body_too_large"; readonly limitBytes: number }
  | { readonly code: "overloaded"; readonly retryAfterSeconds: number }
  | { readonly code: "prompt_unknown"; readonly names: readonly string[] }
  | { readonly code: "unsupported_media_type" }
  | { readonly code: "unauthorized" | "client_gone" | "shutting_down" | "inference_failed" | "not_found" | "internal" };

/** HTTP status and names of a failure in both contracts. */
export type FailureShape = {
  readonly status: 400 | 401 | 404 | 413 | 415 | 422 | 424 | 429 | 499 | 500 | 503;
  /** OpenAI's `error.type`. */
  readonly openAiType: string;
  /** `error_type` of text-embeddings-inference. */
  readonly teiType: string;
  /** `err` label of `te_request_failure`. */
  readonly metric: string;
  readonly message: string;
};

const INVALID = { openAiType: "invalid_request_error", teiType: "Validation", metric: "validation" } as const;
const TOO_LARGE = { ...INVALID, status: 413, metric: "batch_size" } as const;

function tooLongMessage(inputs: readonly TooLongInput[], limitTokens: number): string {
  const first = inputs[0];
  const more = inputs.length > 1 ? ` (and ${inputs.length - 1} more)` : "";
  return `input ${first?.index ?? 0} has ${first?.tokenCount ?? 0} tokens, the model takes ${limitTokens}${more}; send "truncate": true to cut it`;
}

function promptMessage(names: readonly string[]): string {
  const known = names.length === 0 ? "the model has none" : `the model has: ${names.join(", ")}`;
  return `prompt_name: ${known}; it goes before texts only, not before token ids`;
}

/** Failures that need no facts of their request. */
const FIXED = {
  overloaded: {
    status: 429,
    openAiType: "rate_limit_error",
    teiType: "Overloaded",
    metric: "overloaded",
    message: "the queue is full",
  },
  unauthorized: {
    status: 401,
    openAiType: "authentication_error",
    teiType: "Unauthorized",
    metric: "validation",
    message: "a valid bearer token is needed",
  },
  client_gone: {
    status: 499,
    openAiType: "server_error",
    teiType: "Backend",
    metric: "dropped",
    message: "the client has left",
  },
  shutting_down: {
    status: 503,
    openAiType: "server_error",
    teiType: "Unhealthy",
    metric: "overloaded",
    message: "the server is shutting down",
  },
  inference_failed: {
    status: 424,
    openAiType: "server_error",
    teiType: "Backend",
    metric: "inference",
    message: "inference failed",
  },
  not_found: { ...INVALID, status: 404, message: "no such route" },
  unsupported_media_type: { ...INVALID, status: 415, message: "the body must be uncompressed application/json" },
  internal: {
    status: 500,
    openAiType: "server_error",
    teiType: "Backend",
    metric: "inference",
    message: "internal error",
  },
} as const satisfies Record<string, FailureShape>;

function tooMuch(count: number, unit: string, limit: number): FailureShape {
  return { ...TOO_LARGE, message: `${count} ${unit}, at most ${limit} are taken` };
}

function isFixed(failure: EmbedFailure): failure is Extract<EmbedFailure, { readonly code: keyof typeof FIXED }> {
  return failure.code in FIXED;
}

/** The only map from a failure to the wire. */
export function failureShape(failure: EmbedFailure): FailureShape {
  if (isFixed(failure)) return FIXED[failure.code];
  switch (failure.code) {
    case "invalid_json":
    case "invalid_request":
    case "dimensions_unsupported":
      return { ...INVALID, status: failure.code === "invalid_json" ? 400 : 422, message: failure.message };
    case "input_empty":
      return {
        ...INVALID,
        status: 400,
        teiType: "Empty",
        message: failure.index === null ? "input is empty" : `input ${failure.index} is empty`,
      };
    case "input_too_long":
      return { ...INVALID, status: 413, message: tooLongMessage(failure.inputs, failure.limitTokens) };
    case "text_too_large":
      return { ...TOO_LARGE, message: `input ${failure.index} is longer than ${failure.limitLength} characters` };
    case "too_many_inputs":
      return tooMuch(failure.count, "inputs", failure.limit);
    case "too_many_tokens":
      return tooMuch(failure.count, "tokens", failure.limit);
    case "token_id_unknown":
      return {
        ...INVALID,
        status: 422,
        teiType: "Tokenizer",
        metric: "tokenization",
        message: `input ${failure.index} has a token id outside the vocabulary`,
      };
    case "body_too_large":
      return { ...TOO_LARGE, message: `the body is larger than ${failure.limitBytes} bytes` };
    case "prompt_unknown":
      return { ...INVALID, status: 422, message: promptMessage(failure.names) };
  }
}

/** The request field at fault, as OpenAI names it. */
export function paramOf(failure: EmbedFailure): string | null {
  if ("param" in failure) return failure.param;
  if (failure.code === "prompt_unknown") return "prompt_name";
  return "index" in failure && failure.index !== null ? `input[${failure.index}]` : null;
}

/** The inputs that are too long, for the error's body. */
export function inputsOf(failure: EmbedFailure): object {
  if (failure.code !== "input_too_long") return {};
  const inputs = failure.inputs.map(({ index, tokenCount }) => ({ index, token_count: tokenCount }));
  return { inputs, max_input_length: failure.limitTokens };
}

/** When a client should come back, and how it shows who it is. */
export function failureHeaders(failure: EmbedFailure): Record<string, string> {
  if (failure.code === "overloaded") return { "retry-after": String(failure.retryAfterSeconds) };
  if (failure.code === "unauthorized") return { "www-authenticate": "Bearer" };
  return failure.code === "shutting_down" ? { "retry-after": "1" } : {};
}
