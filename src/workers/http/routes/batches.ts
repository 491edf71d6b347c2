import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok } from "../../../lib/base/result.ts";
import { batchStatusSchema, ingestReportSchema } from "../../../lib/contract/batch.ts";
import { driftReportSchema } from "../../../lib/contract/drift.ts";
import { isReservedBatchTag } from "../../../lib/contract/scope.ts";
import { batchStatus, listBatches } from "../../../lib/flows/batches/batch-status.ts";
import { readDrift } from "../../../lib/flows/batches/read-drift.ts";
import { writeReport } from "../../../lib/flows/batches/write-report.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

const listQuerySchema = z.strictObject({
  before: z.iso.datetime().optional().describe("last_applied_at of the last batch of the page before"),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(50),
});

export const batchRoutes = [
  route({
    method: "GET",
    path: "/v1/batches",
    operationId: "listBatches",
    area: "jobs",
    summary: "Batches of the tenant, latest first",
    access: "any",
    query: listQuerySchema,
    replies: { 200: { description: "One page", schema: z.object({ batches: z.array(batchStatusSchema) }) } },
    problems: ["user_forbidden", "database_unavailable"],
    async handle(call, { query }) {
      const principal = principalOf(call);
      if (principal.userId !== "") return err({ code: "user_forbidden" });
      const beforeMs = query.before === undefined ? null : Date.parse(query.before);
      const batches = await listBatches(call.context, { tenantId: principal.tenantId, beforeMs, rowsMax: query.limit });
      return batches.ok ? ok(json({ batches: batches.value })) : batches;
    },
  }),
  route({
    method: "GET",
    path: "/v1/batches/:tag",
    operationId: "readBatch",
    area: "jobs",
    summary: "Where a batch stands: counted, not remembered",
    access: "any",
    replies: { 200: { description: "Counts, rate and ETA", schema: batchStatusSchema } },
    problems: ["not_found", "database_unavailable", "storage_unavailable"],
    async handle(call) {
      const { tenantId, userId } = principalOf(call);
      const batchTag = call.params["tag"] ?? "";
      call.facts["batch_tag"] = batchTag;
      // The tag of a session follows from names: how much another user talks would be told to who guesses them.
      if (userId !== "" && isReservedBatchTag(batchTag)) return err({ code: "not_found" });
      const status = await batchStatus(call.context, { tenantId, batchTag });
      return status.ok ? ok(json(status.value)) : status;
    },
  }),
  route({
    method: "GET",
    path: "/v1/batches/:tag/report",
    operationId: "readBatchReport",
    area: "jobs",
    summary: "What became of a batch's inputs, by outcome, reason and source",
    access: "any",
    replies: { 200: { description: "The report as the store says now", schema: ingestReportSchema } },
    problems: ["user_forbidden", "not_found", "conflict", "database_unavailable", "storage_unavailable"],
    async handle(call) {
      const principal = principalOf(call);
      if (principal.userId !== "") return err({ code: "user_forbidden" });
      const batch = { tenantId: principal.tenantId, batchTag: call.params["tag"] ?? "" };
      const report = await writeReport(call.context, batch);
      return report.ok ? ok(json(report.value.report)) : report;
    },
  }),
  route({
    method: "GET",
    path: "/v1/batches/:tag/drift",
    operationId: "readBatchDrift",
    area: "governance",
    summary: "How a finished batch differs from the one before and from a rolling baseline",
    access: "any",
    replies: { 200: { description: "Divergences by dimension, judged by the policy", schema: driftReportSchema } },
    problems: ["user_forbidden", "not_found", "database_unavailable"],
    async handle(call) {
      const principal = principalOf(call);
      if (principal.userId !== "") return err({ code: "user_forbidden" });
      const batch = { tenantId: principal.tenantId, batchTag: call.params["tag"] ?? "" };
      const drift = await readDrift(call.context.sql, batch);
      return drift.ok ? ok(json(drift.value)) : drift;
    },
  }),
];
