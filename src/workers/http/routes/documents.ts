import { z } from "zod";
import { err, ok } from "../../../lib/base/result.ts";
import { identifierSchema, tierSchema, userIdSchema } from "../../../lib/contract/scope.ts";
import { eraseDocument } from "../../../lib/flows/deletions/erase-document.ts";
import { eraseEvent } from "../../../lib/flows/sessions/erase-event.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const documentRoutes = [
  route({
    method: "DELETE",
    path: "/v1/documents/:id",
    operationId: "deleteDocument",
    area: "ingest",
    summary: "Delete a document; versions accepted before stay deleted",
    access: "ingest",
    query: z.strictObject({
      tier: tierSchema.default("doc"),
      user_id: userIdSchema.optional().describe("owner of the document; left out, the key's user or the tenant"),
    }),
    replies: {
      200: { description: "Deleted", schema: z.object({ existed: z.boolean(), deleted_chunk_count: z.int() }) },
    },
    problems: ["user_forbidden", "database_unavailable", "storage_unavailable", "sessions_unavailable"],
    async handle(call, { query }) {
      const principal = principalOf(call);
      const documentId = identifierSchema.safeParse(call.params["id"]);
      if (!documentId.success) return err({ code: "parameter_invalid", pointer: "/id" });
      const name = { documentId: documentId.data, tier: query.tier, userId: query.user_id ?? principal.userId };
      const erased =
        query.tier === "event"
          ? await eraseEvent(call.context, principal, name)
          : await eraseDocument(call.context, principal, name);
      return erased.ok ? ok(json(erased.value)) : erased;
    },
  }),
];
