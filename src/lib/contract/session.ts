import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { metadataSchema } from "./document.ts";
import { identifierSchema } from "./scope.ts";

/** Who speaks in a message. */
export const ROLES = ["user", "assistant", "system", "tool"] as const;

/**
 * One message of a session as it travels in a frame. `seq` counts 1, 2, 3 … within the session and is given by the client: sending a frame again is
 * harmless. Whether the text may be stored is the gate's business.
 */
export const frameSchema = z.strictObject({
  seq: z.int().min(1),
  at_ms: z.int().min(LIMITS.occurredAtMsMin),
  role: z.enum(ROLES),
  speaker: identifierSchema.optional(),
  text: z.string(),
  metadata: metadataSchema.optional(),
});
export type Frame = z.infer<typeof frameSchema>;
