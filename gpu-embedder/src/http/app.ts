import { Hono } from "hono";
import type { AppContext } from "./app-context.ts";
import { isAuthorized } from "./auth.ts";
import { withinBodyBudget } from "./body-budget.ts";
import { failureShape, type EmbedFailure } from "./embed-failure.ts";
import { openAiContract } from "./openai-contract.ts";
import { embedRoutes } from "./routes/embed.ts";
import { OPEN_PATHS, operationRoutes } from "./routes/operations.ts";
import { tokenizeRoutes } from "./routes/tokenize.ts";
import { TEI_CONTRACT } from "./tei-contract.ts";

/** The HTTP surface: OpenAI's and text-embeddings-inference's contracts, health, metrics and the tokenizer's file. */
export function createApp(app: AppContext): Hono {
  const { fingerprint, modelId } = app.service.model;
  const openAi = openAiContract(modelId);
  const contractOf = (path: string): typeof openAi =>
    path.startsWith("/v1/") || path === "/embeddings" ? openAi : TEI_CONTRACT;
  const hono = new Hono();
  hono.use(async (context, next) => {
    await next();
    context.res.headers.set("x-embed-fingerprint", fingerprint);
  });
  hono.use(async (context, next) => {
    const { path } = context.req;
    if (OPEN_PATHS.has(path) || isAuthorized(context.req.header("authorization"), app.token)) return next();
    return contractOf(path).fail({ code: "unauthorized" });
  });
  const overloaded = (path: string, failure: EmbedFailure): Response => {
    app.metrics.count("te_request_failure", { err: failureShape(failure).metric });
    return contractOf(path).fail(failure);
  };
  hono.use(withinBodyBudget(app.bodies, app.service.limits.bodySizeBytesMax, overloaded));
  for (const routes of [embedRoutes(app), tokenizeRoutes(app), operationRoutes(app)]) hono.route("/", routes);
  hono.notFound((context) => contractOf(context.req.path).fail({ code: "not_found" }));
  hono.onError((cause, context) => {
    app.log("internal_error", { name: cause.name, path: context.req.routePath });
    return contractOf(context.req.path).fail({ code: "internal" });
  });
  return hono;
}
