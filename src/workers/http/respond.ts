import { PROBLEMS, type Problem } from "../../lib/contract/problem.ts";

/** Headers of every reply: nothing here is a page to be framed, sniffed or kept by a cache. */
const COMMON_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
} as const;

/** A reply with the headers that every reply has; `headers` overrides them. */
export function respond(
  body: string | ReadableStream | null,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  return new Response(body, { status, headers: { ...COMMON_HEADERS, ...headers } });
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return respond(JSON.stringify(value), status, { "content-type": "application/json", ...headers });
}

export function text(body: string, mediaType: string, headers: Readonly<Record<string, string>> = {}): Response {
  return respond(body, 200, { "content-type": `${mediaType}; charset=utf-8`, ...headers });
}

/** Seconds a client waits after a 503 that names no time. */
const RETRY_AFTER_SECONDS = 5;

/** The only map from expected failures to the wire (RFC 9457). */
export function problem(failure: Problem, requestId: string, headers: Readonly<Record<string, string>> = {}): Response {
  const { status, title } = PROBLEMS[failure.code];
  const retryAfter = failure.retryAfterSeconds ?? (status === 503 || status === 429 ? RETRY_AFTER_SECONDS : undefined);
  const body = {
    type: `/docs#problem-${failure.code}`,
    title,
    status,
    code: failure.code,
    ...(failure.detail === undefined ? {} : { detail: failure.detail }),
    ...(failure.pointer === undefined ? {} : { pointer: failure.pointer }),
    request_id: requestId,
  };
  return respond(JSON.stringify(body), status, {
    "content-type": "application/problem+json",
    ...(status === 401 ? { "www-authenticate": 'Bearer realm="jeeves"' } : {}),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
    ...headers,
  });
}

/** The reply of a deployment without its variables: says which ones to whoever deploys it, before there is a context. */
export function respondUnconfigured(reason: string): Response {
  const requestId = crypto.randomUUID();
  // oxlint-disable-next-line no-console -- there is no log before there is a context
  console.error(JSON.stringify({ event: "unconfigured", level: "error", request_id: requestId, reason }));
  return problem({ code: "internal", detail: reason }, requestId);
}
