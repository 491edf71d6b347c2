import { z } from "zod";

/** Reply of `/readyz`: whether everything that the system stands on can be reached now. Reasons are codes, never messages of the parts. */
export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ready: z.boolean(), latency_ms: z.number(), reason: z.string().nullable() })),
});
export type Readiness = z.infer<typeof readinessSchema>;
