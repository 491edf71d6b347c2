import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import { auditDaySchema, auditDiffSchema, auditListSchema, auditSchema } from "../../../lib/contract/audit.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import { type AuditForm, openAudit, readAuditDays } from "../../../lib/flows/audit/read-audits.ts";
import { json, respond } from "../respond.ts";
import { route, type Call } from "../route.ts";

/** What is kept of the day that the path names, as it is kept. */
async function kept(call: Call, form: AuditForm): Promise<Result<Response, Problem>> {
  const day = auditDaySchema.safeParse(call.params["day"]);
  if (!day.success) return err({ code: "not_found" });
  const object = await openAudit(call.context.bucket, day.data, form);
  if (!object.ok) return object;
  const mediaType = form === "diff_text" ? "text/plain; charset=utf-8" : "application/json";
  return ok(respond(object.value.body, 200, { "content-type": mediaType, vary: "accept" }));
}

/** Whether a client would rather have text than JSON: it names it, and JSON not at all or after it. */
function prefersText(accept: string | null): boolean {
  const types = (accept ?? "").split(",").map((type) => type.split(";", 1)[0]?.trim().toLowerCase());
  const [text, asJson] = [types.indexOf("text/plain"), types.indexOf("application/json")];
  return text >= 0 && (asJson < 0 || text < asJson);
}

export const adminAuditRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/audits",
    operationId: "listAudits",
    area: "operator",
    summary: "Days that have an audit, the latest first",
    access: "operator",
    query: z.strictObject({
      before: auditDaySchema.optional().describe("the last day of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(50),
    }),
    replies: { 200: { description: "One page", schema: auditListSchema } },
    problems: ["storage_unavailable"],
    async handle(call, { query }) {
      const days = await readAuditDays(call.context.bucket);
      if (!days.ok) return days;
      const page = days.value
        .filter(({ day }) => query.before === undefined || day < query.before)
        .slice(0, query.limit);
      const audits = page.map(({ day, sizeBytes, hasDiff }) => ({ day, size_bytes: sizeBytes, has_diff: hasDiff }));
      return ok(json({ audits }));
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/audits/:day",
    operationId: "readAudit",
    area: "operator",
    summary: "The audit of a day: counts and findings, no text",
    access: "operator",
    replies: { 200: { description: "The audit", schema: auditSchema } },
    problems: ["not_found", "storage_unavailable"],
    handle: (call) => kept(call, "audit"),
  }),
  route({
    method: "GET",
    path: "/v1/admin/audits/:day/diff",
    operationId: "readAuditDiff",
    area: "operator",
    summary:
      "What is different from the audit before: the expected, and the alarming; as text where Accept asks for text/plain",
    access: "operator",
    replies: { 200: { description: "The difference", schema: auditDiffSchema } },
    problems: ["not_found", "storage_unavailable"],
    handle: (call) => kept(call, prefersText(call.request.headers.get("accept")) ? "diff_text" : "diff"),
  }),
];
