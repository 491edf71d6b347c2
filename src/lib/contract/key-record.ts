import { z } from "zod";
import { keyScopeSchema } from "./principal.ts";
import { tenantIdSchema } from "./scope.ts";

/** An API key as it is stored: everything but the key. */
export const keyRecordSchema = z.strictObject({
  key_id: z.string().max(64),
  tenant_id: tenantIdSchema,
  user_id: z.string().max(200),
  scopes: z.array(keyScopeSchema),
  expires_at_ms: z.number().nullable(),
  revoked_at_ms: z.number().nullable(),
});
export type KeyRecord = z.infer<typeof keyRecordSchema>;
