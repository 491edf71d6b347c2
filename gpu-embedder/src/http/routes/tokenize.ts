import { setImmediate } from "node:timers/promises";
import { Hono, type Context } from "hono";
import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { TokenInfo } from "../../engine/tokenizer.ts";
import type { AppContext } from "../app-context.ts";
import { inputsField, invalidRequest } from "../contract.ts";
import type { Input } from "../embed-call.ts";
import type { EmbedFailure } from "../embed-failure.ts";
import { readJson } from "../read-body.ts";
import { TEI_CONTRACT } from "../tei-contract.ts";

const tokenizeSchema = z.object({
  inputs: inputsField.refine((inputs) => inputs.every((input) => typeof input === "string"), "expected texts"),
  add_special_tokens: z.boolean().default(true),
});
const decodeSchema = z.object({
  ids: inputsField.refine((inputs) => inputs.every((input) => typeof input !== "string"), "expected token ids"),
  skip_special_tokens: z.boolean().default(true),
});

async function readRequest<T>(
  app: AppContext,
  context: Context,
  schema: z.ZodType<T>,
): Promise<Result<T, EmbedFailure>> {
  const body = await readJson(context.req.raw, app.service.limits.bodySizeBytesMax);
  if (!body.ok) return body;
  const parsed = schema.safeParse(body.value);
  return parsed.success ? ok(parsed.data) : err(invalidRequest(parsed.error));
}

/** UTF-16 units, or ids, of one input: it is taken in one go, about 30 ms, in which nothing else is answered. */
const INPUT_LENGTH_MAX = 65_536;

function faultOf(app: AppContext, inputs: readonly Input[]): EmbedFailure | undefined {
  const { clientTextsMax } = app.service.limits;
  if (inputs.length > clientTextsMax) return { code: "too_many_inputs", count: inputs.length, limit: clientTextsMax };
  const index = inputs.findIndex((input) => input.length > INPUT_LENGTH_MAX);
  return index < 0 ? undefined : { code: "text_too_large", index, limitLength: INPUT_LENGTH_MAX };
}

async function handleTokenize(app: AppContext, context: Context): Promise<Response> {
  const request = await readRequest(app, context, tokenizeSchema);
  if (!request.ok) return TEI_CONTRACT.fail(request.error);
  const { inputs, add_special_tokens: addSpecialTokens } = request.value;
  const fault = faultOf(app, inputs);
  if (fault !== undefined) return TEI_CONTRACT.fail(fault);
  const { tokenizer } = app.service.model;
  const lists: (readonly TokenInfo[])[] = [];
  for (const input of inputs) {
    if (typeof input === "string") lists.push(tokenizer.describe(input, addSpecialTokens));
    await setImmediate();
  }
  // the tokenizer library keeps no offsets; text-embeddings-inference's schema has null for that
  return Response.json(lists.map((tokens) => tokens.map((token) => ({ ...token, start: null, stop: null }))));
}

async function handleDecode(app: AppContext, context: Context): Promise<Response> {
  const request = await readRequest(app, context, decodeSchema);
  if (!request.ok) return TEI_CONTRACT.fail(request.error);
  const { ids: inputs, skip_special_tokens: skipSpecialTokens } = request.value;
  const fault = faultOf(app, inputs);
  if (fault !== undefined) return TEI_CONTRACT.fail(fault);
  const { tokenizer, config } = app.service.model;
  const texts: string[] = [];
  for (const [index, ids] of inputs.entries()) {
    if (typeof ids === "string") continue;
    if (ids.some((id) => id >= config.vocabularySize)) return TEI_CONTRACT.fail({ code: "token_id_unknown", index });
    await setImmediate();
    texts.push(ids.length === 0 ? "" : tokenizer.decode(ids, skipSpecialTokens));
  }
  return Response.json(texts);
}

function handleTokenizerFile(app: AppContext, context: Context): Response {
  const { tokenizerJson, tokenizerSha256 } = app.service.model;
  const headers = {
    etag: `"${tokenizerSha256}"`,
    "content-type": "application/json",
    "cache-control": "public, max-age=3600",
  };
  if (context.req.header("if-none-match") === headers.etag) return new Response(null, { status: 304, headers });
  return new Response(tokenizerJson, { headers });
}

/** `POST /tokenize` and `/decode` (text-embeddings-inference), `GET /tokenizer.json`. */
export function tokenizeRoutes(app: AppContext): Hono {
  return new Hono()
    .post("/tokenize", (context) => handleTokenize(app, context))
    .post("/decode", (context) => handleDecode(app, context))
    .get("/tokenizer.json", (context) => handleTokenizerFile(app, context));
}
