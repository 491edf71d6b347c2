import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "../../lib/contract/problem.ts";
import { documentedProblems } from "./documented-problems.ts";
import type { Access, Route } from "./route.ts";

type Json = Record<string, unknown>;

const PROBLEM_REF = { $ref: "#/components/schemas/Problem" };

/** OpenAPI 3.1 of the route table. Schemas are the ones that check the requests. */
export function openApiDocument(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Jeeves Indexer",
      version: "1.0.0",
      license: { name: "MIT", identifier: "MIT" },
      description: "Documents and conversations as searchable memory.",
    },
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map((route) => route.area))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "jvk_… key of a tenant" },
        writeToken: { type: "http", scheme: "bearer", description: "jst_… write token of a session" },
      },
      schemas: { Problem: problemSchema() },
    },
  };
}

function operationOf(route: Route): Json {
  return {
    operationId: route.operationId,
    tags: [route.area],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: securityOf(route.access),
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route, route.body) }),
    responses: responsesOf(route),
  };
}

function securityOf(access: Access): Json[] {
  if (access === "public") return [];
  return access === "session" ? [{ writeToken: [] }, { apiKey: [] }] : [{ apiKey: [] }];
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(query: z.ZodObject | undefined): Json[] {
  if (query === undefined) return [];
  const schema = jsonSchema(query, "input");
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  return Object.entries(query.shape).map(([name, field]) => {
    const { description, ...own } = jsonSchema(field, "input");
    return {
      name,
      in: "query",
      required: required.has(name),
      schema: own,
      ...(description === undefined ? {} : { description }),
    };
  });
}

function requestBody(route: Route, body: z.ZodType): Json {
  const schema = jsonSchema(body, "input");
  const mediaTypes = route.bodyMediaTypes ?? ["application/json"];
  const content = mediaTypes.map((type) => [
    type,
    type.includes("json") && type !== "application/json"
      ? { schema: { type: "string", description: "one document a line" } }
      : { schema },
  ]);
  return { required: true, content: Object.fromEntries(content) };
}

function responsesOf(route: Route): Json {
  const responses: Json = {};
  for (const [status, reply] of Object.entries(route.replies)) {
    const mediaType = reply.mediaType ?? (reply.schema === undefined ? undefined : "application/json");
    responses[status] = {
      description: reply.description,
      ...(mediaType === undefined
        ? {}
        : {
            content: { [mediaType]: reply.schema === undefined ? {} : { schema: jsonSchema(reply.schema, "output") } },
          }),
    };
  }
  for (const [status, codes] of problemsByStatus(route)) {
    responses[status] ??= {
      description: codes.join(", "),
      content: { "application/problem+json": { schema: PROBLEM_REF } },
    };
  }
  return responses;
}

function problemsByStatus(route: Route): Map<string, ProblemCode[]> {
  const byStatus = new Map<string, ProblemCode[]>();
  for (const code of documentedProblems(route)) {
    const status = String(PROBLEMS[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function problemSchema(): Json {
  return {
    type: "object",
    description: "RFC 9457 problem details",
    required: ["type", "title", "status", "code", "request_id"],
    properties: {
      type: { type: "string" },
      title: { type: "string" },
      status: { type: "integer" },
      code: { type: "string", enum: Object.keys(PROBLEMS) },
      detail: { type: "string" },
      pointer: { type: "string" },
      request_id: { type: "string" },
    },
  };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...own } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return own;
}
