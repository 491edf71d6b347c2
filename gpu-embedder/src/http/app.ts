import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { err, ok, type Result } from "../base/result.ts";
import type { Log } from "../log.ts";
import { isAuthorized } from "./auth.ts";
import { failureShape, openAiFailure, teiFailure, type EmbedFailure } from "./embed-failure.ts";
import { embedCall, laneOf, type EmbedReply, type EmbedService } from "./embed-service.ts";
import { base64Of, decodeOpenAi, decodeTei, decodeTokenize, type EmbedCall } from "./embed-wire.ts";
import { infoOf } from "./info.ts";
import type { Metrics } from "./metrics.ts";

export type AppContext = {
  readonly service: EmbedService;
  readonly metrics: Metrics;
  readonly token: string | undefined;
  readonly log: Log;
  /** Why the server should get no requests now, or undefined. */
  readonly notReadyReason: () => string | undefined;
};

/** Routes that an orchestrator asks without a token. They tell nothing of the texts. */
const OPEN_PATHS = new Set(["/health", "/", "/livez", "/readyz"]);

type Contract = {
  readonly decode: (body: unknown) => Result<EmbedCall, EmbedFailure>;
  readonly answer: (reply: EmbedReply, call: EmbedCall) => Response;
  readonly fail: (failure: EmbedFailure) => Response;
};

/** Milliseconds as the whole numbers that text-embeddings-inference sends. */
function wholeMs(milliseconds: number): string {
  return String(Math.round(milliseconds));
}

function replyHeaders(reply: EmbedReply, totalMs: number): Record<string, string> {
  return {
    "x-compute-type": "cpu",
    "x-compute-time": wholeMs(totalMs),
    "x-compute-characters": String(reply.characterCount),
    "x-compute-tokens": String(reply.tokenCount),
    "x-total-time": wholeMs(totalMs),
    "x-tokenization-time": wholeMs(reply.tokenizationMs),
    "x-queue-time": wholeMs(reply.queueMs),
    "x-inference-time": wholeMs(reply.inferenceMs),
    ...(reply.truncated.length === 0 ? {} : { "x-embed-truncated": reply.truncated.join(",") }),
  };
}

function openAiContract(modelId: string): Contract {
  return {
    decode: decodeOpenAi,
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
    fail: openAiFailure,
  };
}

const TEI_CONTRACT: Contract = {
  decode: decodeTei,
  answer: (reply) => Response.json(reply.vectors.map((vector) => Array.from(vector))),
  fail: teiFailure,
};

async function readBody(context: Context): Promise<Result<unknown, EmbedFailure>> {
  try {
    return ok(JSON.parse(await context.req.text()));
  } catch (cause) {
    if (cause instanceof SyntaxError)
      return err({ code: "invalid_json", message: "the body is not JSON", param: null });
    if (context.req.raw.signal.aborted) return err({ code: "client_gone" });
    throw cause;
  }
}

function record(app: AppContext, reply: EmbedReply, totalMs: number): void {
  const { metrics } = app;
  metrics.count("te_request_success", { method: reply.vectors.length === 1 ? "single" : "batch" });
  metrics.count("te_embed_success", {}, reply.vectors.length);
  metrics.observe("te_request_duration", totalMs / 1000);
  metrics.observe("te_request_tokenization_duration", reply.tokenizationMs / 1000);
  metrics.observe("te_request_queue_duration", reply.queueMs / 1000);
  metrics.observe("te_request_inference_duration", reply.inferenceMs / 1000);
}

function failed(app: AppContext, contract: Contract, failure: EmbedFailure): Response {
  const { status, metric } = failureShape(failure);
  app.metrics.count("te_request_failure", { err: metric });
  app.log("request_failed", { code: failure.code, status });
  return contract.fail(failure);
}

async function handleEmbed(app: AppContext, contract: Contract, context: Context): Promise<Response> {
  const startMs = performance.now();
  const body = await readBody(context);
  const call = body.ok ? contract.decode(body.value) : body;
  if (!call.ok) {
    app.metrics.count("te_request_count", { method: "batch" });
    return failed(app, contract, call.error);
  }
  const inputCount = call.value.inputs.length;
  app.metrics.count("te_request_count", { method: inputCount === 1 ? "single" : "batch" });
  app.metrics.count("te_embed_count", {}, inputCount);
  const lane = laneOf(context.req.header("x-embed-lane"), inputCount);
  const reply = await embedCall(app.service, call.value, { lane, signal: context.req.raw.signal });
  if (!reply.ok) return failed(app, contract, reply.error);
  const response = contract.answer(reply.value, call.value);
  const totalMs = performance.now() - startMs;
  record(app, reply.value, totalMs);
  for (const [name, value] of Object.entries(replyHeaders(reply.value, totalMs))) response.headers.set(name, value);
  return response;
}

async function handleTokenize(app: AppContext, context: Context): Promise<Response> {
  const body = await readBody(context);
  const call = body.ok ? decodeTokenize(body.value) : body;
  if (!call.ok) return teiFailure(call.error);
  const { texts, addSpecialTokens } = call.value;
  const { limits, model } = app.service;
  if (texts.length > limits.clientTextsMax)
    return teiFailure({ code: "too_many_inputs", count: texts.length, limit: limits.clientTextsMax });
  const index = texts.findIndex((text) => text.length > limits.textLengthMax);
  if (index >= 0) return teiFailure({ code: "text_too_large", index, limitLength: limits.textLengthMax });
  const tokens = texts.map((text) => model.tokenizer.describe(text, addSpecialTokens));
  return Response.json(tokens.map((list) => list.map((token) => ({ ...token, start: null, stop: null }))));
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

function contractOf(path: string, modelId: string): Contract {
  return path.startsWith("/v1/") || path === "/embeddings" ? openAiContract(modelId) : TEI_CONTRACT;
}

/** The HTTP surface: OpenAI's and text-embeddings-inference's contracts, health, metrics and the tokenizer's file. */
export function createApp(app: AppContext): Hono {
  const { model, limits } = app.service;
  const openAi = openAiContract(model.modelId);
  const hono = new Hono();
  hono.use(async (context, next) => {
    await next();
    context.res.headers.set("x-embed-fingerprint", model.fingerprint);
  });
  hono.use(async (context, next) => {
    const { path } = context.req;
    if (OPEN_PATHS.has(path) || isAuthorized(context.req.header("authorization"), app.token)) return next();
    return contractOf(path, model.modelId).fail({ code: "unauthorized" });
  });
  const limitBytes = limits.bodySizeBytesMax;
  const tooLarge = (context: Context): Response =>
    contractOf(context.req.path, model.modelId).fail({ code: "body_too_large", limitBytes });
  hono.use(bodyLimit({ maxSize: limitBytes, onError: tooLarge }));

  hono.post("/v1/embeddings", (context) => handleEmbed(app, openAi, context));
  hono.post("/embeddings", (context) => handleEmbed(app, openAi, context));
  hono.post("/embed", (context) => handleEmbed(app, TEI_CONTRACT, context));
  hono.post("/tokenize", (context) => handleTokenize(app, context));
  hono.get("/tokenizer.json", (context) => handleTokenizerFile(app, context));
  hono.get("/info", (context) => context.json(infoOf(app.service)));
  hono.get("/v1/models", (context) =>
    context.json({ object: "list", data: [{ id: model.modelId, object: "model", created: 0, owned_by: "local" }] }),
  );
  hono.get("/livez", (context) => context.json({ status: "live" }));
  hono.get("/readyz", (context) => {
    const reason = app.notReadyReason();
    const state = { provider: "cpu", fingerprint: model.fingerprint, queued_texts: app.service.engine.queuedTexts };
    return reason === undefined
      ? context.json({ status: "ready", ...state })
      : context.json({ status: "not_ready", reason, ...state }, 503);
  });
  for (const path of ["/health", "/"]) {
    hono.get(path, (context) =>
      app.notReadyReason() === undefined
        ? context.body(null, 200)
        : context.json({ error: "unhealthy", error_type: "Unhealthy" }, 503),
    );
  }
  hono.get("/metrics", (context) => {
    app.metrics.gauge("te_queue_size", app.service.engine.queuedTexts);
    return context.text(app.metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });
  hono.notFound((context) => contractOf(context.req.path, model.modelId).fail({ code: "not_found" }));
  hono.onError((cause, context) => {
    app.log("internal_error", { name: cause.name, path: context.req.routePath });
    return contractOf(context.req.path, model.modelId).fail({ code: "internal" });
  });
  return hono;
}
