import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import type { EmbedFailure } from "./embed-failure.ts";

/** The four forms that both contracts take: a text, texts, token ids, lists of token ids. */
const tokenId = z.int().nonnegative();
const inputSchema = z.union([z.string(), z.array(z.string()), z.array(tokenId), z.array(z.array(tokenId))]);

const openAiSchema = z.object({
  input: inputSchema,
  model: z.string().optional(),
  user: z.string().optional(),
  encoding_format: z.enum(["float", "base64"]).default("float"),
  dimensions: z.int().positive().optional(),
  truncate: z.boolean().default(false),
});

const teiSchema = z.object({
  inputs: inputSchema,
  truncate: z.boolean().default(false),
  truncation_direction: z.enum(["left", "right", "Left", "Right"]).default("right"),
  normalize: z.boolean().default(true),
  prompt_name: z.null().optional(),
  dimensions: z.int().positive().nullish(),
});

const tokenizeSchema = z.object({
  inputs: z.union([z.string(), z.array(z.string())]),
  add_special_tokens: z.boolean().default(true),
});

/** One input: a text or the token ids that a client made itself. */
export type Input = string | readonly number[];

/** An embedding request in the one form that the rest of the server knows. */
export type EmbedCall = {
  readonly inputs: readonly Input[];
  /** True where one input came without a list round it. */
  readonly truncate: boolean;
  readonly truncateSide: "left" | "right";
  readonly normalize: boolean;
  readonly encoding: "float" | "base64";
  readonly dimensions: number | undefined;
};

function inputsOf(input: z.infer<typeof inputSchema>): readonly Input[] {
  if (typeof input === "string") return [input];
  const texts: string[] = [];
  const lists: (readonly number[])[] = [];
  const ids: number[] = [];
  for (const item of input) {
    if (typeof item === "string") texts.push(item);
    else if (typeof item === "number") ids.push(item);
    else lists.push(item);
  }
  if (texts.length > 0) return texts;
  return ids.length > 0 ? [ids] : lists;
}

/** What is wrong, by field and rule; zod's own words hold no value of the request. */
function invalid(error: z.ZodError): EmbedFailure {
  const issue = error.issues[0];
  const param = issue === undefined || issue.path.length === 0 ? null : String(issue.path[0]);
  const expected =
    param === "input" || param === "inputs" ? "a string, strings, token ids or lists of token ids" : "another value";
  return { code: "invalid_request", message: `${param ?? "body"}: expected ${expected}`, param };
}

/** Decodes the body of `POST /v1/embeddings`. */
export function decodeOpenAi(body: unknown): Result<EmbedCall, EmbedFailure> {
  const parsed = openAiSchema.safeParse(body);
  if (!parsed.success) return err(invalid(parsed.error));
  const { input, truncate, encoding_format: encoding, dimensions } = parsed.data;
  return ok({ inputs: inputsOf(input), truncate, truncateSide: "right", normalize: true, encoding, dimensions });
}

/** Decodes the body of `POST /embed`. */
export function decodeTei(body: unknown): Result<EmbedCall, EmbedFailure> {
  const parsed = teiSchema.safeParse(body);
  if (!parsed.success) return err(invalid(parsed.error));
  const { inputs, truncate, normalize, dimensions } = parsed.data;
  const truncateSide = parsed.data.truncation_direction.toLowerCase() === "left" ? "left" : "right";
  return ok({
    inputs: inputsOf(inputs),
    truncate,
    truncateSide,
    normalize,
    encoding: "float",
    dimensions: dimensions ?? undefined,
  });
}

/** Decodes the body of `POST /tokenize`. */
export function decodeTokenize(
  body: unknown,
): Result<{ readonly texts: readonly string[]; readonly addSpecialTokens: boolean }, EmbedFailure> {
  const parsed = tokenizeSchema.safeParse(body);
  if (!parsed.success) return err(invalid(parsed.error));
  const { inputs, add_special_tokens: addSpecialTokens } = parsed.data;
  return ok({ texts: typeof inputs === "string" ? [inputs] : inputs, addSpecialTokens });
}

/** Little-endian float32 bytes as base64, as OpenAI sends them. */
export function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
