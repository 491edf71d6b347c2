import { z } from "zod";
import { keyScopeSchema } from "./principal.ts";

/** Reply of `GET /v1/key`: what the key that asks may do. */
export const ownKeySchema = z.object({
  key_id: z.string(),
  tenant_id: z.string(),
  user_id: z.string().nullable().describe("the user it is bound to; null: it acts for the whole tenant"),
  scopes: z.array(keyScopeSchema),
  expires_at: z.iso.datetime().nullable(),
});
export type OwnKey = z.infer<typeof ownKeySchema>;
