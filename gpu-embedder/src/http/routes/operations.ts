import { Hono, type Context } from "hono";
import type { AppContext } from "../app-context.ts";
import { infoOf } from "../info.ts";
import { failureHeaders } from "../embed-failure.ts";

/** Routes that an orchestrator asks without a token. They tell nothing of the texts. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(["/", "/health", "/ping", "/livez", "/readyz"]);

function handleReady(app: AppContext, context: Context): Response {
  const { reason, provider, device, selfTest, sessionsAlive, sessionsWanted } = app.readiness();
  const { engine, model } = app.service;
  const body = {
    status: reason === undefined ? "ready" : "not_ready",
    ...(reason === undefined ? {} : { reason }),
    provider,
    device,
    fingerprint: model.fingerprint,
    self_test: {
      passed: selfTest.fault === undefined,
      ...(selfTest.fault === undefined ? {} : { fault: selfTest.fault }),
      age_seconds: Math.round(selfTest.ageMs / 1000),
    },
    sessions: { alive: sessionsAlive, wanted: sessionsWanted },
    queued_texts: engine.queuedTexts,
    active_requests: engine.activeRequests,
  };
  return context.json(body, reason === undefined ? 200 : 503);
}

function handleHealth(app: AppContext, context: Context): Response {
  if (app.readiness().reason === undefined) return context.body(null, 200);
  return context.json({ error: "unhealthy", error_type: "Unhealthy" }, 503, failureHeaders({ code: "shutting_down" }));
}

/** What operators and clients ask about the server: health, metrics, the model. */
export function operationRoutes(app: AppContext): Hono {
  const { modelId } = app.service.model;
  const routes = new Hono()
    .get("/livez", (context) => context.json({ status: "live" }))
    .get("/readyz", (context) => handleReady(app, context))
    .get("/info", (context) => context.json(infoOf(app.service, app.readiness())))
    .get("/v1/models", (context) =>
      context.json({ object: "list", data: [{ id: modelId, object: "model", created: 0, owned_by: "local" }] }),
    )
    .get("/metrics", (context) => {
      app.metrics.gauge("te_queue_size", app.service.engine.queuedTexts);
      return context.text(app.metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    });
  for (const path of ["/", "/health", "/ping"]) routes.get(path, (context) => handleHealth(app, context));
  return routes;
}
