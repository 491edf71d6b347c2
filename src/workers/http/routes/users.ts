import { err, ok, type Result } from "../../../lib/base/result.ts";
import type { Principal } from "../../../lib/contract/principal.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import { userIdSchema } from "../../../lib/contract/scope.ts";
import {
  erasureCertificateSchema,
  erasureListSchema,
  erasureProgressSchema,
} from "../../../lib/contract/user-erasure.ts";
import { eraseUser } from "../../../lib/flows/users/erase-user.ts";
import { readErasures } from "../../../lib/flows/users/read-erasures.ts";
import { json } from "../respond.ts";
import { principalOf, route, type Call } from "../route.ts";

export const userRoutes = [
  route({
    method: "DELETE",
    path: "/v1/users/:id",
    operationId: "eraseUser",
    area: "users",
    summary: "Erase a user: everything that was sent for them, in every place, with a certificate",
    description:
      "For an admin key of the tenant, or for a key with the scope ingest that is bound to this user. 202 says that there is more than one request erases: " +
      "send it again. What was sent before stays away even where it was still on its way; what the user sends afterwards is new.",
    access: "any",
    replies: {
      200: { description: "Done; the certificate", schema: erasureCertificateSchema },
      202: { description: "There is more: ask again", schema: erasureProgressSchema },
    },
    problems: [
      "parameter_invalid",
      "user_forbidden",
      "scope_missing",
      "sessions_unavailable",
      "storage_unavailable",
      "database_unavailable",
    ],
    async handle(call) {
      const user = userOf(call);
      if (!user.ok) return user;
      const requestedBy = principalOf(call).keyId;
      const erased = await eraseUser(call.context, { ...user.value, requestedBy });
      return erased.ok ? ok(json(erased.value, "done" in erased.value ? 202 : 200)) : erased;
    },
  }),
  route({
    method: "GET",
    path: "/v1/users/:id/erasures",
    operationId: "listErasures",
    area: "users",
    summary: "Certificates of a user's erasures",
    access: "any",
    replies: { 200: { description: "Oldest first, at most 100", schema: erasureListSchema } },
    problems: ["parameter_invalid", "user_forbidden", "scope_missing", "storage_unavailable", "database_unavailable"],
    async handle(call) {
      const user = userOf(call);
      if (!user.ok) return user;
      const read = await readErasures(call.context, user.value);
      return read.ok ? ok(json(read.value)) : read;
    },
  }),
];

/**
 * The user a key may erase. Every user of the tenant by an admin key: a key that only writes, and is in more hands, must not be able to empty the
 * tenant. Themselves by a key of their own that may write: people may ask for that without an administrator.
 */
function userOf(call: Call): Result<{ readonly tenantId: string; readonly userId: string }, Problem> {
  const principal = principalOf(call);
  const userId = userIdSchema.safeParse(call.params["id"]);
  if (!userId.success) return err({ code: "parameter_invalid", pointer: "/id" });
  if (principal.userId !== "" && principal.userId !== userId.data) return err({ code: "user_forbidden" });
  if (!mayErase(principal)) return err({ code: "scope_missing" });
  return ok({ tenantId: principal.tenantId, userId: userId.data });
}

function mayErase({ userId, scopes }: Principal): boolean {
  return scopes.includes("admin") || (userId !== "" && scopes.includes("ingest"));
}
