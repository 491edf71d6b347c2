import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { ok } from "../../../lib/base/result.ts";
import { listQuarantine, quarantinedSchema } from "../../../lib/flows/list-quarantine.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const quarantineRoutes = [
  route({
    method: "GET",
    path: "/v1/quarantine",
    operationId: "listQuarantine",
    area: "proof",
    summary: "Quarantined inputs with their reasons, newest first",
    access: "any",
    query: z.strictObject({
      before: z.string().max(64).optional().describe("quarantine_id of the last one of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(100),
    }),
    replies: { 200: { description: "One page", schema: z.object({ quarantined: z.array(quarantinedSchema) }) } },
    problems: ["parameter_invalid", "database_unavailable"],
    async handle(call, { query }) {
      const page = { beforeId: query.before ?? null, rowsMax: query.limit };
      const quarantined = await listQuarantine(call.context.sql, principalOf(call), page);
      return quarantined.ok ? ok(json({ quarantined: quarantined.value })) : quarantined;
    },
  }),
];
