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

/** Id of the W3C trace that a request belongs to, for its log line; undefined where it names none that is well-formed. */
function traceIdOf(header: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/u.exec(header ?? "")?.[1];
}

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
    const { routePath } = context.req;
    app.log("internal_error", {
      name: cause.name,
      path: routePath,
      trace_id: traceIdOf(context.req.header("traceparent")),
    });
    return contractOf(context.req.path).fail({ code: "internal" });
  });
  return hono;
}
