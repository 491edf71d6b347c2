import { requestTraceSchema } from "../../../lib/contract/request-trace.ts";
import { ok } from "../../../lib/base/result.ts";
import { readTrace } from "../../../lib/flows/tracing/read-trace.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const adminTraceRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/traces/:id",
    operationId: "readTrace",
    area: "admin",
    summary: "The life of one request, or of a batch, in order of time, from what is stored of it",
    description: "By request id (x-request-id), by token, or by batch tag.",
    access: "admin",
    replies: { 200: { description: "Requests and events", schema: requestTraceSchema } },
    problems: ["not_found", "database_unavailable", "storage_unavailable"],
    async handle(call) {
      const trace = await readTrace(call.context, principalOf(call).tenantId, call.params["id"] ?? "");
      return trace.ok ? ok(json(trace.value)) : trace;
    },
  }),
];
