/** The HTTP surface: one table of routes, and around each the same four steps: who asks, may they, do it, say what happened. */
import { Hono } from "hono";
import { uuidV7 } from "../../lib/base/ids.ts";
import { err, ok, type Result } from "../../lib/base/result.ts";
import { parseTraceparent } from "../../lib/base/trace.ts";
import { PROBLEMS, type Problem } from "../../lib/contract/problem.ts";
import type { Context } from "../context.ts";
import { noteViolation } from "../note-violation.ts";
import { thrownFields } from "../thrown-fields.ts";
import { currentTrace, inTraceOf, traceHeaders } from "../trace-scope.ts";
import { authorizeSession } from "./authorize-session.ts";
import { problem } from "./respond.ts";
import type { Access, Call, Route } from "./route.ts";

/** What the entry hands to each request. */
export interface Scope {
  readonly context: Context;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export type App = (request: Request, scope: Scope) => Promise<Response>;

/** Builds the app of a route table. */
export function createApp(routes: readonly Route[]): App {
  const app = new Hono<{ Bindings: Scope }>();
  for (const route of routes) {
    app.on(route.method, route.path, (c) => serve(route, { request: c.req.raw, params: c.req.param(), ...c.env }));
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method);
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", ");
    const wrongMethod = failing({ path, code: "method_not_allowed", headers: { allow } });
    app.all(path, (c) => serve(wrongMethod, { request: c.req.raw, params: {}, ...c.env }));
  }
  const missing = failing({ path: "/*", code: "not_found", headers: {} });
  app.notFound((c) => serve(missing, { request: c.req.raw, params: {}, ...c.env }));
  return async (request, scope) => app.fetch(request, scope);
}

interface Incoming {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly context: Context;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Serves a request in its client's trace, or in one that has the request's own id. */
function serve(route: Served, incoming: Incoming): Promise<Response> {
  const requestId = uuidV7(incoming.context.clock, (bytes) => crypto.getRandomValues(bytes));
  const caller = parseTraceparent(incoming.request.headers.get("traceparent"));
  return inTraceOf(caller ?? { traceId: requestId.replaceAll("-", "") }, () => serveTraced(route, incoming, requestId));
}

async function serveTraced(route: Served, incoming: Incoming, requestId: string): Promise<Response> {
  const { request, context, waitUntil } = incoming;
  const startedMs = context.clock();
  const facts: Call["facts"] = {};
  const traceId = currentTrace()?.traceId ?? "";
  const response = await answer(route, { ...incoming, requestId, traceId, facts });
  response.headers.set("x-request-id", requestId);
  for (const [name, value] of Object.entries(traceHeaders())) response.headers.set(name, value);
  const durationMs = context.clock() - startedMs;
  const { status } = response;
  context.log.info("request", {
    request_id: requestId,
    method: request.method,
    route: route.path,
    status,
    duration_ms: durationMs,
    ...facts,
  });
  context.metrics.count("http_requests_total", { method: route.method, route: route.path, status });
  context.metrics.observe(
    "http_request_duration_seconds",
    { method: route.method, route: route.path },
    durationMs / 1000,
  );
  context.metrics.flushSoon(waitUntil);
  return response;
}

type Served = Pick<Route, "path" | "access" | "handle"> & {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
};

function failing(refusal: {
  path: `/${string}`;
  code: "not_found" | "method_not_allowed";
  headers: Record<string, string>;
}): Served {
  return {
    method: "*",
    path: refusal.path,
    access: "public",
    headers: refusal.headers,
    handle: async () => err({ code: refusal.code }),
  };
}

type Asked = Omit<Call, "url" | "principal" | "session">;

async function answer(route: Served, asked: Asked): Promise<Response> {
  const { context, facts, requestId } = asked;
  try {
    const asker = await authorize(route.access, asked);
    if (!asker.ok) {
      if (PROBLEMS[asker.error.code].status === 401)
        context.metrics.count("auth_failures_total", { code: asker.error.code });
      return refuse(asker.error, asked, route.headers);
    }
    const { principal } = asker.value;
    if (principal !== undefined) {
      facts["tenant_id"] = principal.tenantId;
      facts["key_id"] = principal.keyId;
    }
    const result = await route.handle({ ...asked, url: new URL(asked.request.url), ...asker.value });
    return result.ok ? result.value : refuse(result.error, asked, route.headers);
  } catch (thrown) {
    context.log.error("request_failed", { request_id: requestId, route: route.path, ...thrownFields(thrown) });
    facts["code"] = "internal";
    return problem({ code: "internal" }, requestId);
  }
}

function refuse(
  failure: Problem,
  { facts, requestId, context }: Asked,
  headers: Readonly<Record<string, string>> = {},
): Response {
  facts["code"] = failure.code;
  if (failure.isolation !== undefined) noteViolation(context, failure.isolation, { request_id: requestId });
  return problem(failure, requestId, headers);
}

async function authorize(access: Access, asked: Asked): Promise<Result<Pick<Call, "principal" | "session">, Problem>> {
  if (access === "public") return ok({ principal: undefined });
  if (access === "session") {
    const session = await authorizeSession(asked);
    return session.ok ? ok({ principal: session.value.principal, session: session.value }) : session;
  }
  const { request, context, waitUntil } = asked;
  const authorization = request.headers.get("authorization");
  if (access === "metrics" && (await context.isMetricsToken(authorization))) return ok({ principal: undefined });
  const principal = await context.authenticator.authenticate(authorization, waitUntil);
  if (!principal.ok) return err({ code: principal.error });
  const scope = access === "metrics" ? "operator" : access;
  if (scope === "any" || principal.value.scopes.includes(scope)) return ok({ principal: principal.value });
  return err({ code: "scope_missing", detail: `needs ${scope}` });
}
