import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { ok } from "../../../lib/base/result.ts";
import { deadLetterSchema, listDeadLetters } from "../../../lib/flows/list-dead-letters.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const adminDeadLetterRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/dead-letters",
    operationId: "listDeadLetters",
    area: "admin",
    summary: "Work that could not succeed as it was, newest first, with its reason and where it lies",
    access: "admin",
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(100) }),
    replies: { 200: { description: "The newest ones", schema: z.object({ dead_letters: z.array(deadLetterSchema) }) } },
    problems: ["database_unavailable"],
    async handle(call, { query }) {
      const found = await listDeadLetters(call.context.sql, principalOf(call).tenantId, query.limit);
      return found.ok ? ok(json({ dead_letters: found.value })) : found;
    },
  }),
];
