import { z } from "zod";
import { tenantIdSchema } from "./scope.ts";

export const SCOPES = ["ingest", "search", "admin"] as const;
export const keyScopeSchema = z.enum(SCOPES);
export type KeyScope = z.infer<typeof keyScopeSchema>;

/** Who is asking, as the credential says it. `userId` '' means the key is not bound to one user. */
export const principalSchema = z.strictObject({
  keyId: z.string(),
  tenantId: tenantIdSchema,
  userId: z.string(),
  scopes: z.array(keyScopeSchema),
  expiresAtMs: z.number().nullable(),
});
export type Principal = z.infer<typeof principalSchema>;
