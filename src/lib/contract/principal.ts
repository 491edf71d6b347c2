import { z } from "zod";
import { tenantPolicySchema } from "./policy.ts";
import { tenantIdSchema } from "./scope.ts";

/** What a tenant gives to its keys. */
const TENANT_SCOPES = ["ingest", "search", "admin"] as const;
export const tenantScopeSchema = z.enum(TENANT_SCOPES);
/** operator: what concerns all tenants. Keys with it are made in the database, by its owner (docs/decisions/0007). */
export const SCOPES = [...TENANT_SCOPES, "operator"] as const;
export const keyScopeSchema = z.enum(SCOPES);
export type KeyScope = z.infer<typeof keyScopeSchema>;

/** Who is asking, as the credential says it. `userId` '' means the key is not bound to one user. */
export const principalSchema = z.strictObject({
  keyId: z.string(),
  tenantId: tenantIdSchema,
  userId: z.string(),
  scopes: z.array(keyScopeSchema),
  expiresAtMs: z.number().nullable(),
  /** Of the tenant, as old as the key record at most. */
  policy: tenantPolicySchema,
  policyVersion: z.int().min(0),
});
export type Principal = z.infer<typeof principalSchema>;
