import { z } from "zod";
import { keyScopeSchema } from "./principal.ts";
import { tenantPolicySchema } from "./policy.ts";
import { tenantIdSchema } from "./scope.ts";

/** An API key as it is stored: everything but the key. */
export const keyFactsSchema = z.strictObject({
  key_id: z.string().max(64),
  tenant_id: tenantIdSchema,
  user_id: z.string().max(200),
  scopes: z.array(keyScopeSchema),
  expires_at_ms: z.number().nullable(),
  revoked_at_ms: z.number().nullable(),
});

/** What the edge must know of a caller: the key, and the policy of its tenant, so that no request needs Postgres for either. */
export const keyRecordSchema = keyFactsSchema.extend({
  policy: tenantPolicySchema.prefault({}),
  policy_version: z.int().min(0).default(0),
});
export type KeyRecord = z.infer<typeof keyRecordSchema>;
