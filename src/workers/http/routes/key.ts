import { ok } from "../../../lib/base/result.ts";
import { ownKeySchema, type OwnKey } from "../../../lib/contract/key.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const keyRoutes = [
  route({
    method: "GET",
    path: "/v1/key",
    operationId: "readOwnKey",
    area: "admin",
    summary: "What the key that asks may do",
    access: "any",
    replies: { 200: { description: "Tenant, user, scopes and end of the key", schema: ownKeySchema } },
    problems: [],
    async handle(call) {
      const { keyId, tenantId, userId, scopes, expiresAtMs } = principalOf(call);
      const own: OwnKey = {
        key_id: keyId,
        tenant_id: tenantId,
        user_id: userId === "" ? null : userId,
        scopes,
        expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
      };
      return ok(json(own));
    },
  }),
];
