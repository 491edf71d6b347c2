import { err, ok, type Result } from "../base/result.ts";
import type { ServerLimits } from "../config.ts";
import type { EmbeddingEngine, Lane } from "../engine/embedding-engine.ts";
import type { LoadedModel } from "../model/loaded-model.ts";
import type { EmbedFailure, TooLongInput } from "./embed-failure.ts";
import type { EmbedCall, Input } from "./embed-wire.ts";

export type EmbedReply = {
  readonly vectors: readonly Float32Array<ArrayBuffer>[];
  /** Tokens that went through the model, special ones included. */
  readonly tokenCount: number;
  readonly characterCount: number;
  /** Indexes of the inputs that were cut. */
  readonly truncated: readonly number[];
  readonly tokenizationMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
};

export type EmbedService = {
  readonly model: LoadedModel;
  readonly limits: ServerLimits;
  readonly engine: EmbeddingEngine;
};

type Tokenized = {
  readonly texts: readonly Int32Array<ArrayBuffer>[];
  readonly truncated: readonly number[];
  readonly tokenCount: number;
};

/** Names of lanes in the `x-embed-lane` header. Without it a single text is taken for a waiting person. */
export function laneOf(header: string | undefined, inputCount: number): Lane {
  if (header === "interactive" || header === "bulk") return header;
  return inputCount === 1 ? "interactive" : "bulk";
}

function firstFault(service: EmbedService, call: EmbedCall): EmbedFailure | undefined {
  const { limits, model } = service;
  if (call.inputs.length === 0) return { code: "input_empty", index: null };
  if (call.inputs.length > limits.clientTextsMax) {
    return { code: "too_many_inputs", count: call.inputs.length, limit: limits.clientTextsMax };
  }
  if (call.dimensions !== undefined && call.dimensions !== model.config.hiddenSize) {
    return {
      code: "dimensions_unsupported",
      message: `the model has ${model.config.hiddenSize} dimensions and no others`,
      param: "dimensions",
    };
  }
  for (const [index, input] of call.inputs.entries()) {
    if (input.length === 0) return { code: "input_empty", index };
    if (input.length > limits.textLengthMax)
      return { code: "text_too_large", index, limitLength: limits.textLengthMax };
    if (typeof input !== "string" && input.some((id) => id >= model.config.vocabularySize))
      return { code: "token_id_unknown", index };
  }
  return undefined;
}

/** Cuts a token list to `limit`, keeping the special tokens at both ends. */
function truncate(service: EmbedService, ids: Int32Array, side: "left" | "right"): Int32Array<ArrayBuffer> {
  const { prefix, suffix } = service.model.tokenizer;
  const kept = service.model.config.inputTokensMax - prefix.length - suffix.length;
  const content = ids.subarray(prefix.length, ids.length - suffix.length);
  const part = side === "right" ? content.subarray(0, kept) : content.subarray(content.length - kept);
  return Int32Array.from([...prefix, ...part, ...suffix]);
}

async function encode(service: EmbedService, input: Input): Promise<Int32Array<ArrayBuffer>> {
  const { tokenizer } = service.model;
  return typeof input === "string" ? tokenizer.encode(input) : tokenizer.withSpecialTokens(input);
}

async function tokenize(service: EmbedService, call: EmbedCall): Promise<Result<Tokenized, EmbedFailure>> {
  const limitTokens = service.model.config.inputTokensMax;
  const texts: Int32Array<ArrayBuffer>[] = [];
  const tooLong: TooLongInput[] = [];
  let tokenCount = 0;
  for (const [index, input] of call.inputs.entries()) {
    const ids = await encode(service, input);
    const isTooLong = ids.length > limitTokens;
    if (isTooLong) tooLong.push({ index, tokenCount: ids.length });
    const text = isTooLong && call.truncate ? truncate(service, ids, call.truncateSide) : ids;
    texts.push(text);
    tokenCount += text.length;
  }
  if (tooLong.length > 0 && !call.truncate) return err({ code: "input_too_long", inputs: tooLong, limitTokens });
  const limit = service.limits.clientTokensMax;
  if (tokenCount > limit) return err({ code: "too_many_tokens", count: tokenCount, limit });
  return ok({ texts, truncated: tooLong.map(({ index }) => index), tokenCount });
}

/** Checks, tokenizes and embeds one request. Every failure is a value. */
export async function embedCall(
  service: EmbedService,
  call: EmbedCall,
  options: { readonly lane: Lane; readonly signal: AbortSignal },
): Promise<Result<EmbedReply, EmbedFailure>> {
  const fault = firstFault(service, call);
  if (fault !== undefined) return err(fault);
  const startMs = performance.now();
  const tokenized = await tokenize(service, call);
  if (!tokenized.ok) return tokenized;
  const tokenizationMs = performance.now() - startMs;
  const { texts, truncated, tokenCount } = tokenized.value;
  const outcome = await service.engine.embed({
    texts,
    lane: options.lane,
    normalize: call.normalize,
    signal: options.signal,
  });
  if (!outcome.ok) return err(outcome.error);
  const characterCount = call.inputs.reduce((sum, input) => sum + (typeof input === "string" ? input.length : 0), 0);
  return ok({ ...outcome.value, tokenCount, characterCount, truncated, tokenizationMs });
}
