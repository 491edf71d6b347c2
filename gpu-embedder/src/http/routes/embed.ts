import { Hono, type Context } from "hono";
import type { AppContext } from "../app-context.ts";
import type { Contract } from "../contract.ts";
import { failureShape, type EmbedFailure } from "../embed-failure.ts";
import { embedCall, laneOf, type EmbedReply } from "../embed-service.ts";
import { indexRanges } from "../index-ranges.ts";
import { openAiContract } from "../openai-contract.ts";
import { readJson } from "../read-body.ts";
import { TEI_CONTRACT } from "../tei-contract.ts";

/** Milliseconds as the whole numbers that text-embeddings-inference sends. */
function wholeMs(milliseconds: number): string {
  return String(Math.round(milliseconds));
}

function replyHeaders(reply: EmbedReply, totalMs: number, provider: string): Record<string, string> {
  return {
    "x-compute-type": provider === "cpu" ? "cpu" : "gpu+optimized",
    "x-compute-time": wholeMs(totalMs),
    "x-compute-characters": String(reply.characterCount),
    "x-compute-tokens": String(reply.tokenCount),
    "x-total-time": wholeMs(totalMs),
    "x-tokenization-time": wholeMs(reply.tokenizationMs),
    "x-queue-time": wholeMs(reply.queueMs),
    "x-inference-time": wholeMs(reply.inferenceMs),
    ...(reply.truncated.length === 0 ? {} : { "x-embed-truncated": indexRanges(reply.truncated) }),
  };
}

/** The texts of one request share its times: the engine does not clock a text alone. */
function record({ metrics }: AppContext, reply: EmbedReply, totalMs: number): void {
  const textCount = reply.vectors.length;
  metrics.count("te_request_success", { method: textCount === 1 ? "single" : "batch" });
  metrics.count("te_embed_success", {}, textCount);
  const durations = [
    ["duration", totalMs],
    ["tokenization_duration", reply.tokenizationMs],
    ["queue_duration", reply.queueMs],
    ["inference_duration", reply.inferenceMs],
  ] as const;
  for (const [name, milliseconds] of durations) {
    metrics.observe(`te_request_${name}`, milliseconds / 1000);
    metrics.observe(`te_embed_${name}`, milliseconds / 1000, textCount);
  }
  for (const tokenCount of reply.tokenCounts) metrics.observe("te_request_input_length", tokenCount);
}

function failed(app: AppContext, contract: Contract, failure: EmbedFailure): Response {
  const { status, metric } = failureShape(failure);
  app.metrics.count("te_request_failure", { err: metric });
  app.log("request_failed", { code: failure.code, status });
  return contract.fail(failure);
}

async function handleEmbed(app: AppContext, contract: Contract, context: Context): Promise<Response> {
  const startMs = performance.now();
  const body = await readJson(context.req.raw, app.service.limits.bodySizeBytesMax);
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
  const answering = (): Response => contract.answer(reply.value, call.value);
  const response = lane === "bulk" ? await app.service.lines.replying.run(answering) : answering();
  const totalMs = performance.now() - startMs;
  record(app, reply.value, totalMs);
  const headers = replyHeaders(reply.value, totalMs, app.readiness().provider);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** `POST /v1/embeddings` and `/embeddings` (OpenAI), `POST /embed` (text-embeddings-inference). */
export function embedRoutes(app: AppContext): Hono {
  const openAi = openAiContract(app.service.model.modelId);
  return new Hono()
    .post("/v1/embeddings", (context) => handleEmbed(app, openAi, context))
    .post("/embeddings", (context) => handleEmbed(app, openAi, context))
    .post("/embed", (context) => handleEmbed(app, TEI_CONTRACT, context));
}
