import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import { commonFields, commonOf, inputsField, invalidRequest, type Contract } from "./contract.ts";
import type { EmbedCall } from "./embed-call.ts";
import { failureHeaders, failureShape, inputsOf, paramOf, type EmbedFailure } from "./embed-failure.ts";

/** Unknown fields are ignored, as OpenAI's clients send new ones every year. `model` and `user` change nothing. */
const requestSchema = z.object({
  input: inputsField,
  model: z.string().nullish(),
  user: z.string().nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  ...commonFields,
});

/** Little-endian float32 bytes as base64, as OpenAI sends them. */
function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

function decode(body: unknown): Result<EmbedCall, EmbedFailure> {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) return err(invalidRequest(parsed.error));
  const encoding = parsed.data.encoding_format ?? "float";
  return ok({ inputs: parsed.data.input, normalize: true, encoding, ...commonOf(parsed.data) });
}

/** The reply in OpenAI's error shape. */
function fail(failure: EmbedFailure): Response {
  const { status, openAiType, message } = failureShape(failure);
  const error = { message, type: openAiType, param: paramOf(failure), code: failure.code, ...inputsOf(failure) };
  return Response.json({ error }, { status, headers: failureHeaders(failure) });
}

/** OpenAI's contract. A request may name any model: the reply names the one that ran. */
export function openAiContract(modelId: string): Contract {
  return {
    decode,
    fail,
    answer(reply, call) {
      const data = reply.vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: call.encoding === "base64" ? base64Of(vector) : Array.from(vector),
      }));
      const usage = { prompt_tokens: reply.tokenCount, total_tokens: reply.tokenCount };
      const truncated = reply.truncated.length === 0 ? {} : { truncated: reply.truncated };
      return Response.json({ object: "list", data, model: modelId, usage, ...truncated });
    },
  };
}
