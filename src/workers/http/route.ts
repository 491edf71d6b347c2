import type { z } from "zod";
import { utf8Text } from "../../lib/base/bytes.ts";
import { assert } from "../../lib/base/assert.ts";
import type { LogFields } from "../../lib/base/log.ts";
import { err, ok, type Result } from "../../lib/base/result.ts";
import type { KeyScope, Principal } from "../../lib/contract/principal.ts";
import type { Problem, ProblemCode } from "../../lib/contract/problem.ts";
import type { Context } from "../context.ts";
import type { SessionAccess } from "./session-access.ts";
import { readBody } from "./read-body.ts";

/**
 * Who may call a route: anyone, any valid key, a key with the scope, (metrics) an operator's key or the metrics token, (session) the write token of the
 * session that `:id` names or a key with the scope ingest.
 */
export type Access = "public" | "any" | "metrics" | "session" | KeyScope;

/** One request on its way through a route. */
export interface Call {
  readonly context: Context;
  readonly request: Request;
  readonly url: URL;
  readonly requestId: string;
  readonly traceId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly principal: Principal | undefined;
  /** Of a route whose access is "session". */
  readonly session?: SessionAccess;
  /** Facts for the log line of this request. Numbers and short identifiers only. */
  readonly facts: Record<string, LogFields[string]>;
}

/** How a reply looks; read by the OpenAPI document only. */
export interface ReplyDoc {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly mediaType?: string;
}

/** One route as the table holds it. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `:name` parameters. */
  readonly path: `/${string}`;
  readonly operationId: string;
  readonly area: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Bytes of a JSON body where it may be larger than usual. */
  readonly bodyBytesMax?: number;
  /** Media types of a body that the route reads itself; `body` then describes one form of it. */
  readonly bodyMediaTypes?: readonly string[];
  readonly replies: Readonly<Record<number, ReplyDoc>>;
  readonly problems: readonly ProblemCode[];
  readonly handle: (call: Call) => Promise<Result<Response, Problem>>;
}

/** Bytes of a JSON body of a route that says nothing else. */
const JSON_BODY_BYTES_MAX = 64 * 1024;

type Definition<Q extends z.ZodObject, B extends z.ZodType> = Omit<Route, "handle" | "query" | "body"> & {
  readonly query?: Q;
  readonly body?: B;
  readonly handle: (
    call: Call,
    input: { readonly query: z.output<Q>; readonly body: z.output<B> },
  ) => Promise<Result<Response, Problem>>;
};

/** Makes a route whose query and JSON body are checked by their schemas before its handler sees them. */
export function route<Q extends z.ZodObject, B extends z.ZodType>(definition: Definition<Q, B>): Route {
  const { query: querySchema, body: bodySchema, handle, ...rest } = definition;
  const readsBody = bodySchema !== undefined && definition.bodyMediaTypes === undefined;
  return {
    ...rest,
    ...(querySchema === undefined ? {} : { query: querySchema }),
    ...(bodySchema === undefined ? {} : { body: bodySchema }),
    async handle(call) {
      const query = querySchema === undefined ? ok(undefined) : parseQuery(querySchema, call.url);
      if (!query.ok) return query;
      const body = readsBody
        ? await parseBody(bodySchema, call.request, definition.bodyBytesMax ?? JSON_BODY_BYTES_MAX)
        : ok(undefined);
      if (!body.ok) return body;
      // A route without schema has no such input to look at.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return handle(call, { query: query.value as z.output<Q>, body: body.value as z.output<B> });
    },
  };
}

/** The session of a call whose route's access is "session". */
export function sessionOf(call: Call): SessionAccess {
  assert(call.session !== undefined, "a route of a session has one");
  return call.session;
}

/** The principal of a call whose route asks for a scope. */
export function principalOf(call: Call): Principal {
  assert(call.principal !== undefined, "a route with a scope has a principal");
  return call.principal;
}

function parseQuery<Q extends z.ZodObject>(schema: Q, url: URL): Result<z.output<Q>, Problem> {
  const parsed = schema.safeParse(Object.fromEntries(url.searchParams));
  return parsed.success ? ok(parsed.data) : err({ code: "parameter_invalid", ...whereAndWhy(parsed.error) });
}

async function parseBody<B extends z.ZodType>(
  schema: B,
  request: Request,
  bytesMax: number,
): Promise<Result<z.output<B>, Problem>> {
  const mediaType = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "application/json";
  if (mediaType !== "application/json") return err({ code: "media_type_unsupported", detail: "use application/json" });
  if ((request.headers.get("content-encoding") ?? "identity") !== "identity")
    return err({ code: "content_encoding_unsupported" });
  const bytes = await readBody(request, bytesMax);
  if (!bytes.ok) return bytes;
  try {
    const parsed = schema.safeParse(JSON.parse(utf8Text(bytes.value) ?? ""));
    return parsed.success ? ok(parsed.data) : err({ code: "body_invalid", ...whereAndWhy(parsed.error) });
  } catch {
    return err({ code: "body_malformed" });
  }
}

/** Where a schema failed and what it wanted. Messages of the schemas quote no values, but names of unknown keys, which stay out. */
function whereAndWhy(error: z.ZodError): { detail: string; pointer: string } {
  const [issue] = error.issues;
  const pointer = (issue?.path ?? []).map((part) => `/${String(part)}`).join("");
  const detail =
    issue === undefined || issue.code === "unrecognized_keys" ? "there is an unknown field" : issue.message;
  return { detail: detail.slice(0, 200), pointer };
}
