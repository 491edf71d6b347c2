import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { ok } from "../../../lib/base/result.ts";
import {
  decisionSchema,
  inspectedSchema,
  purgeReplySchema,
  quarantinedSchema,
  releaseReplySchema,
} from "../../../lib/contract/quarantine.ts";
import { quarantineStateSchema } from "../../../lib/db/queries/quarantine.ts";
import { inspectQuarantined } from "../../../lib/flows/quarantine/inspect-quarantined.ts";
import { listQuarantine } from "../../../lib/flows/quarantine/list-quarantine.ts";
import { purgeQuarantined } from "../../../lib/flows/quarantine/purge-quarantined.ts";
import { releaseQuarantined } from "../../../lib/flows/quarantine/release-quarantined.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const quarantineRoutes = [
  route({
    method: "GET",
    path: "/v1/quarantine",
    operationId: "listQuarantine",
    area: "governance",
    summary: "Quarantined inputs with their reasons and what was decided, newest first",
    access: "any",
    query: z.strictObject({
      before: z.string().max(64).optional().describe("quarantine_id of the last one of the page before"),
      state: quarantineStateSchema.optional(),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(100),
    }),
    replies: { 200: { description: "One page", schema: z.object({ quarantined: z.array(quarantinedSchema) }) } },
    problems: ["database_unavailable"],
    async handle(call, { query }) {
      const page = { beforeId: query.before ?? null, state: query.state ?? null, rowsMax: query.limit };
      const quarantined = await listQuarantine(call.context.sql, principalOf(call), page);
      return quarantined.ok ? ok(json({ quarantined: quarantined.value })) : quarantined;
    },
  }),
  route({
    method: "GET",
    path: "/v1/quarantine/:id",
    operationId: "inspectQuarantined",
    area: "governance",
    summary: "One quarantined input with the start of its text, personal data masked",
    access: "any",
    replies: { 200: { description: "The input", schema: inspectedSchema } },
    problems: ["not_found", "database_unavailable", "storage_unavailable"],
    async handle(call) {
      const inspected = await inspectQuarantined(call.context, principalOf(call), call.params["id"] ?? "");
      return inspected.ok ? ok(json(inspected.value)) : inspected;
    },
  }),
  route({
    method: "POST",
    path: "/v1/quarantine/:id/release",
    operationId: "releaseQuarantined",
    area: "governance",
    summary: "Let a quarantined input in; calling it again replies the same",
    access: "admin",
    body: decisionSchema,
    replies: { 202: { description: "On its way, with the receipt to follow", schema: releaseReplySchema } },
    problems: ["not_found", "conflict", "database_unavailable", "storage_unavailable"],
    async handle(call, { body }) {
      const request = { quarantineId: call.params["id"] ?? "", note: body.note };
      const released = await releaseQuarantined(call.context, principalOf(call), request);
      return released.ok ? ok(json(released.value, 202)) : released;
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/quarantine/:id",
    operationId: "purgeQuarantined",
    area: "governance",
    summary: "Remove the text of a quarantined input for good; the record of the decision stays",
    access: "admin",
    query: z.strictObject({ note: z.string().max(500).default("") }),
    replies: { 200: { description: "The text is gone", schema: purgeReplySchema } },
    problems: ["not_found", "conflict", "database_unavailable", "storage_unavailable"],
    async handle(call, { query }) {
      const request = { quarantineId: call.params["id"] ?? "", note: query.note };
      const purged = await purgeQuarantined(call.context, principalOf(call), request);
      return purged.ok ? ok(json(purged.value)) : purged;
    },
  }),
];
