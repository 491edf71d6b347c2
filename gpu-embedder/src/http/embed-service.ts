import { err, ok, type Result } from "../base/result.ts";
import type { ServerLimits } from "../config.ts";
import type { BatchBudget } from "../engine/batch-queue.ts";
import type { EmbeddingEngine, Lane } from "../engine/embedding-engine.ts";
import type { TurnLine } from "../engine/turn-line.ts";
import { truncateIds } from "../engine/truncate-ids.ts";
import type { LoadedModel } from "../model/loaded-model.ts";
import type { EmbedFailure, TooLongInput } from "./embed-failure.ts";
import type { EmbedCall, Input } from "./embed-call.ts";

export type EmbedReply = {
  readonly vectors: readonly Float32Array<ArrayBuffer>[];
  /** Tokens that went through the model, special ones included. */
  readonly tokenCount: number;
  /** Tokens of each text, as they went through the model. */
  readonly tokenCounts: readonly number[];
  /** Unicode code points of the texts; token ids count for none. */
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
  readonly budget: BatchBudget;
  readonly engine: EmbeddingEngine;
  /** Where bulk requests wait for their turn on this thread: to be tokenized, and to have their reply written. */
  readonly lines: { readonly tokenizing: TurnLine; readonly replying: TurnLine };
  /** The model's own prompts by name, such as `query`. */
  readonly prompts: ReadonlyMap<string, string>;
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

/** Code points of a text: UTF-16 units less the second halves of pairs. */
function characterCountOf(input: Input): number {
  if (typeof input !== "string") return 0;
  let count = input.length;
  for (let at = 1; at < input.length; at++) {
    const isPair = (input.charCodeAt(at) & 0xfc00) === 0xdc00 && (input.charCodeAt(at - 1) & 0xfc00) === 0xd800;
    if (isPair) count -= 1;
  }
  return count;
}

/** What goes before each text. A prompt that the model lacks is refused, and so is one for token ids, which have no text to go before. */
function promptOf(service: EmbedService, call: EmbedCall): Result<string, EmbedFailure> {
  if (call.promptName === undefined) return ok("");
  const prompt = service.prompts.get(call.promptName);
  if (prompt !== undefined && call.inputs.every((input) => typeof input === "string")) return ok(prompt);
  return err({ code: "prompt_unknown", names: [...service.prompts.keys()] });
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
async function encode(service: EmbedService, input: Input): Promise<Int32Array<ArrayBuffer>> {
  const { tokenizer } = service.model;
  return typeof input === "string" ? tokenizer.encode(input) : tokenizer.withSpecialTokens(input);
}

async function tokenize(
  service: EmbedService,
  call: EmbedCall,
  { prompt, signal }: { readonly prompt: string; readonly signal: AbortSignal },
): Promise<Result<Tokenized, EmbedFailure>> {
  const limitTokens = service.model.config.inputTokensMax;
  const cut = { tokensMax: limitTokens, side: call.truncateSide };
  const texts: Int32Array<ArrayBuffer>[] = [];
  const tooLong: TooLongInput[] = [];
  let tokenCount = 0;
  for (const [index, input] of call.inputs.entries()) {
    if (signal.aborted) return err({ code: "client_gone" });
    const ids = await encode(service, typeof input === "string" ? prompt + input : input);
    const isTooLong = ids.length > limitTokens;
    if (isTooLong) tooLong.push({ index, tokenCount: ids.length });
    const text = isTooLong && call.truncate ? truncateIds(ids, service.model.tokenizer, cut) : ids;
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
  const prompt = promptOf(service, call);
  if (!prompt.ok) return prompt;
  const startMs = performance.now();
  const tokenizing = (): ReturnType<typeof tokenize> =>
    tokenize(service, call, { prompt: prompt.value, signal: options.signal });
  const tokenized = await (options.lane === "bulk" ? service.lines.tokenizing.run(tokenizing) : tokenizing());
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
  const characterCount = call.inputs.reduce((sum, input) => sum + characterCountOf(input), 0);
  const tokenCounts = texts.map((text) => text.length);
  return ok({ ...outcome.value, tokenCount, tokenCounts, characterCount, truncated, tokenizationMs });
}
